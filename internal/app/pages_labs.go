package app

import (
	"context"
	"errors"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/labs"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/lti"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
	"cursus/internal/transport/web"
)

var (
	errNoLabs     = fault.New(fault.Forbidden, "scope-missing", "This needs the scope labs:read.")
	errNoLabWrite = fault.New(fault.Forbidden, "scope-missing", "This needs the scope labs:write.")
	errNoLabHelp  = fault.New(fault.Forbidden, "scope-missing", "This needs the scope labs:help.")
)

// LaunchLab opens a lab of one of a learner's enrolments.
func (p Pages) LaunchLab(ctx context.Context, who web.Viewer, enrolmentID, lab string) (labs.Ticket, error) {
	var l labs.Launch
	if err := p.h.asHouse(as(ctx, who), "launch lab", func(ctx context.Context, tx *postgres.Tx) (err error) {
		l, err = labs.LaunchTx(ctx, tx, lab, enrolmentID, who.PersonID)
		return err
	}); err != nil {
		return labs.Ticket{}, err
	}
	return p.h.Labs.Open(ctx, l.ID, who.PersonID)
}

// OpenLab opens a link that was made elsewhere.
func (p Pages) OpenLab(ctx context.Context, who web.Viewer, launch string) (labs.Ticket, error) {
	return p.h.Labs.Open(ctx, launch, who.PersonID)
}

// AnswerLab answers the login of a provider.
func (p Pages) AnswerLab(ctx context.Context, who web.Viewer, a lti.Login) (labs.Ticket, error) {
	return p.h.Labs.Answer(ctx, who.PersonID, a)
}

// onLabs reads of the labs of a session for who has a scope of staff.
func (p Pages) onLabs(ctx context.Context, who web.Viewer, session string, read func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error) error {
	return p.h.viewLabs(as(ctx, who), session, func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
		if err := mayTx(ctx, tx, who, errNoLabs, "labs:read"); err != nil {
			return err
		}
		return read(ctx, tx, s)
	})
}

// LabDesk shows staff the labs of a session.
func (p Pages) LabDesk(ctx context.Context, who web.Viewer, session string) (out web.LabDesk, err error) {
	err = p.onLabs(ctx, who, session, func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
		out = web.LabDesk{Session: s.Key, MayEdit: who.May("labs:write")}
		if out.Labs, err = labs.LabsTx(ctx, tx, s.ID); err != nil {
			return err
		}
		out.Providers, err = labs.ProvidersTx(ctx, tx)
		return err
	})
	return out, err
}

// LabsSeen shows staff who is in the labs of a session now.
func (p Pages) LabsSeen(ctx context.Context, who web.Viewer, session string) (out web.LabBoard, err error) {
	err = p.onLabs(ctx, who, session, func(ctx context.Context, tx *postgres.Tx, s catalog.Session) error {
		now := tx.Now()
		out = web.LabBoard{Session: s.Key, At: &now, MayHelp: who.May("labs:help")}
		out.In, err = labs.BoardTx(ctx, tx, s.ID)
		return err
	})
	out.In = unnamed(who.Scopes, out.In)
	return out, err
}

// WorkOnLabs does one thing with a lab or with a launch.
func (p Pages) WorkOnLabs(ctx context.Context, who web.Viewer, session, key string, w web.LabWork) error {
	scope, refused := "labs:write", error(errNoLabWrite)
	if w.Do == "help" || w.Do == "stop" {
		scope, refused = "labs:help", errNoLabHelp
	}
	ctx = as(ctx, who)
	if err := p.h.DB.View(ctx, "may work on labs", func(ctx context.Context, tx *postgres.Tx) error { return mayTx(ctx, tx, who, refused, scope) }); err != nil {
		return err
	}
	rooms, me := NewRooms(p.h), api.Principal{PersonID: who.PersonID, Actor: postgres.Actor(ctx)}
	switch w.Do {
	case "make":
		_, err := rooms.CreateLab(ctx, me, key, session, w.Lab)
		return err
	case "change":
		_, err := rooms.PutLab(ctx, me, w.ID, w.Lab, w.Version)
		return err
	case "help":
		return rooms.GiveLabHelp(ctx, me, w.ID)
	case "stop":
		return rooms.StopLab(ctx, me, w.ID)
	}
	return fault.InvalidInput(fault.Field{Pointer: "/do", Code: "unknown-act", Detail: "Not something that can be done with labs."})
}

// onLabProviders lets in who looks after labs, and says whether she may also write the settings of who hosts them.
func (p Pages) onLabProviders(ctx context.Context, who web.Viewer) (_ context.Context, maySet bool, err error) {
	ctx = as(ctx, who)
	err = p.h.DB.View(ctx, "may look after providers of labs", func(ctx context.Context, tx *postgres.Tx) error {
		if err := mayTx(ctx, tx, who, errNoLabs, "labs:read"); err != nil {
			return err
		}
		maySet, err = identity.MayTx(ctx, tx, who.PersonID, "keys:write")
		return err
	})
	return ctx, maySet, err
}

// LabProviders lists who hosts labs.
func (p Pages) LabProviders(ctx context.Context, who web.Viewer) ([]labs.Provider, bool, error) {
	ctx, may, err := p.onLabProviders(ctx, who)
	if err != nil {
		return nil, false, err
	}
	all, err := NewRooms(p.h).LabProviders(ctx, api.Principal{})
	return all, may, err
}

// LabProvider finds one of them, with its labs.
func (p Pages) LabProvider(ctx context.Context, who web.Viewer, key string) (one labs.Provider, hosts []labs.Lab, may bool, err error) {
	if ctx, may, err = p.onLabProviders(ctx, who); err != nil {
		return one, nil, false, err
	}
	err = p.h.DB.View(ctx, "provider of labs", func(ctx context.Context, tx *postgres.Tx) error {
		if one, err = labs.ProviderTx(ctx, tx, key); err != nil {
			return err
		}
		hosts, err = labs.LabsOfProviderTx(ctx, tx, key)
		return err
	})
	return one, hosts, may, err
}

// setLabProvider writes a provider for who may write keys. says gives what is to be said of the one that is there.
func (p Pages) setLabProvider(ctx context.Context, who web.Viewer, key string, version int, says func(old labs.Provider) labs.NewProvider) error {
	ctx, may, err := p.onLabProviders(ctx, who)
	if err == nil && !may {
		err = errNoKeys
	}
	if err != nil {
		return err
	}
	return p.h.DB.InTx(ctx, "put lab provider", func(ctx context.Context, tx *postgres.Tx) error {
		old, err := labs.ProviderTx(ctx, tx, key)
		if version < 0 && errors.Is(err, labs.ErrNoProvider) {
			err = nil
		}
		if err != nil {
			return err
		}
		_, err = p.h.Labs.PutProviderTx(ctx, tx, key, says(old), version)
		return err
	})
}

// SaveLabProvider makes a provider or rewrites it.
func (p Pages) SaveLabProvider(ctx context.Context, who web.Viewer, key string, version int, n labs.NewProvider) error {
	return p.setLabProvider(ctx, who, key, version, func(labs.Provider) labs.NewProvider { return n })
}

// RotateLabProvider gives a provider another secret.
func (p Pages) RotateLabProvider(ctx context.Context, who web.Viewer, key string, version int, secret string) error {
	return p.setLabProvider(ctx, who, key, version, func(old labs.Provider) labs.NewProvider {
		n := old.Setting()
		n.Secret = secret
		return n
	})
}
