package app

import (
	"context"
	"slices"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/enrolment"
	"cursus/internal/domain/labs"
	"cursus/internal/domain/progress"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// namesScope lets somebody read who is in a lab, and not only that somebody is: it is that of results.
const namesScope = "grades:read"

// unnamed leaves names out for who may not read them.
func unnamed(scopes []string, all []labs.Usage) []labs.Usage {
	if !slices.Contains(scopes, namesScope) {
		for i := range all {
			all[i].FullName = ""
		}
	}
	return all
}

// viewLabs reads of the labs of a session.
func (h *House) viewLabs(ctx context.Context, session string, read func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error) error {
	return h.DB.View(ctx, "labs of a session", func(ctx context.Context, tx *postgres.Tx) error {
		s, err := catalog.SessionTx(ctx, tx, session)
		if err != nil {
			return err
		}
		return read(ctx, tx, s)
	})
}

// Labs lists the labs of a session.
func (r Rooms) Labs(ctx context.Context, _ api.Principal, session string) (all []labs.Lab, err error) {
	err = r.h.viewLabs(ctx, session, func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
		all, err = labs.LabsTx(ctx, tx, s.ID)
		return err
	})
	return all, err
}

// Lab finds a lab.
func (r Rooms) Lab(ctx context.Context, _ api.Principal, id string) (l labs.Lab, err error) {
	err = r.h.DB.View(ctx, "lab", func(ctx context.Context, tx *postgres.Tx) error {
		l, err = labs.LabTx(ctx, tx, id)
		return err
	})
	return l, err
}

// CreateLab makes a lab, once per key.
func (r Rooms) CreateLab(ctx context.Context, who api.Principal, key, session string, n labs.NewLab) (labs.Lab, error) {
	said := struct {
		Session string
		labs.NewLab
	}{session, n}
	id, err := r.once(ctx, who, key, "create lab", said, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		l, err := labs.CreateLabTx(ctx, tx, session, n)
		return l.ID, err
	})
	if err != nil {
		return labs.Lab{}, err
	}
	return r.Lab(ctx, who, id)
}

// PutLab rewrites a lab.
func (r Rooms) PutLab(ctx context.Context, _ api.Principal, id string, n labs.NewLab, version int) (l labs.Lab, err error) {
	err = r.h.DB.InTx(ctx, "put lab", func(ctx context.Context, tx *postgres.Tx) error {
		l, err = labs.PutLabTx(ctx, tx, id, n, version)
		return err
	})
	return l, err
}

// LabProviders lists the providers of labs.
func (r Rooms) LabProviders(ctx context.Context, _ api.Principal) (all []labs.Provider, err error) {
	err = r.h.DB.View(ctx, "lab providers", func(ctx context.Context, tx *postgres.Tx) error {
		all, err = labs.ProvidersTx(ctx, tx)
		return err
	})
	return all, err
}

// LabProvider finds a provider of labs.
func (r Rooms) LabProvider(ctx context.Context, _ api.Principal, key string) (p labs.Provider, err error) {
	err = r.h.DB.View(ctx, "lab provider", func(ctx context.Context, tx *postgres.Tx) error {
		p, err = labs.ProviderTx(ctx, tx, key)
		return err
	})
	return p, err
}

// PutLabProvider writes a provider of labs.
func (r Rooms) PutLabProvider(ctx context.Context, _ api.Principal, key string, n labs.NewProvider, version int) (p labs.Provider, err error) {
	err = r.h.DB.InTx(ctx, "put lab provider", func(ctx context.Context, tx *postgres.Tx) error {
		p, err = r.h.Labs.PutProviderTx(ctx, tx, key, n, version)
		return err
	})
	return p, err
}

// ReceiveLabEvent stores what a provider tells.
func (r Rooms) ReceiveLabEvent(ctx context.Context, provider string, d labs.Delivery) error {
	return r.h.Labs.Receive(ctx, provider, d)
}

// LabLaunches lists who was in the labs of a session.
func (r Rooms) LabLaunches(ctx context.Context, who api.Principal, session string, p page.Request) (all []labs.Usage, next string, at time.Time, err error) {
	err = r.h.viewLabs(ctx, session, func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
		at = tx.Now()
		all, next, err = labs.UsagesTx(ctx, tx, s.ID, p)
		return err
	})
	return unnamed(who.Scopes, all), next, at, err
}

// LabBoard shows who is in the labs of a session now.
func (r Rooms) LabBoard(ctx context.Context, who api.Principal, session string) (all []labs.Usage, at time.Time, err error) {
	err = r.h.viewLabs(ctx, session, func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
		at = tx.Now()
		all, err = labs.BoardTx(ctx, tx, s.ID)
		return err
	})
	return unnamed(who.Scopes, all), at, err
}

// CohortLabBoard lists who of a cohort is in a lab now.
func (r Rooms) CohortLabBoard(ctx context.Context, who api.Principal, cohort string) (progress.LabBoard, error) {
	return r.h.Progress.Labs(ctx, who.PersonID, cohort)
}

// GiveLabHelp says that a learner was helped.
func (r Rooms) GiveLabHelp(ctx context.Context, _ api.Principal, launch string) error {
	return r.h.DB.InTx(ctx, "give lab help", func(ctx context.Context, tx *postgres.Tx) error { return r.h.Labs.HelpGivenTx(ctx, tx, launch) })
}

// StopLab has a machine stopped.
func (r Rooms) StopLab(ctx context.Context, _ api.Principal, launch string) error {
	return r.h.DB.InTx(ctx, "stop lab", func(ctx context.Context, tx *postgres.Tx) error { return r.h.Labs.AskStopTx(ctx, tx, launch) })
}

// MyLabs says how an enrolment stands to its labs.
func (r Rooms) MyLabs(ctx context.Context, _ api.Principal, enrolmentID string) (all []labs.Standing, err error) {
	err = r.h.DB.View(ctx, "my labs", func(ctx context.Context, tx *postgres.Tx) error {
		e, err := enrolment.OneTx(ctx, tx, enrolmentID)
		if err != nil {
			return err
		}
		all, err = labs.StandingsTx(ctx, tx, e)
		return err
	})
	return all, err
}

// LaunchLab makes a link to a lab, once per key, for its learner alone.
func (r Rooms) LaunchLab(ctx context.Context, who api.Principal, key, enrolmentID, lab string) (l labs.Launch, url string, err error) {
	system := postgres.WithActor(ctx, "system")
	id, err := r.once(system, who, key, "launch lab", []string{enrolmentID, lab}, func(ctx context.Context, tx *postgres.Tx) (string, error) {
		l, err := labs.LaunchTx(ctx, tx, lab, enrolmentID, who.PersonID)
		return l.ID, err
	})
	if err != nil {
		return l, "", err
	}
	err = r.h.DB.View(system, "lab launch", func(ctx context.Context, tx *postgres.Tx) error {
		l, err = labs.LaunchOfTx(ctx, tx, id)
		return err
	})
	return l, r.h.Config.BaseURL + "/labs/launches/" + id, err
}
