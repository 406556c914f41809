package demo

import (
	"context"
	"fmt"
	"strings"
	"time"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/offers"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/money"
	"cursus/internal/platform/postgres"
)

// The programs of the paper: the Networks sequence, whose learners Figure 12 follows through ALDDT-1, PRD-8 and RQOS-6, and Networks basics,
// sold to 75 learners of the ESP Dakar in spring 2019 at 100,000 XOF, of whom 14 were certified in all four courses. How far the others came
// is not in the paper; those numbers are made up.
const (
	sequenceKey   = "NETWORKS"
	basicsKey     = "NETWORKS-BASICS"
	espEdition    = "NETWORKS-BASICS-2019"
	openEdition   = "NETWORKS-BASICS-OPEN"
	espLearners   = 75
	espCertified  = 14
	seatXOF       = 100_000
	seatEUR       = 390
	espFirst      = 800_001 // number of the first of them on the platform, beyond all of the cast
	espOrganiser  = "ESP"
	espName       = "École supérieure polytechnique, Dakar"
	monthOfReport = 28 // days after a course opened
)

var (
	sequence = programs.Content{
		Title:    catalog.Text{EN: "The Networks sequence", FR: "La suite Réseaux"},
		Summary:  catalog.Text{EN: "Three courses in a row, each opening the next.", FR: "Trois cours à la suite, chacun ouvrant le suivant."},
		Audience: catalog.Text{EN: "Everybody who begins with networks", FR: "Toute personne qui débute en réseaux"},
		Language: "fr", Organisations: []string{"IMT"},
		Parts: []programs.Node{required("ALDDT", 20, 80), required("PRD", 40, 160, "ALDDT"), required("RQOS", 35, 140, "PRD")},
	}
	basics = programs.Content{
		Title: catalog.Text{EN: "Networks basics", FR: "Les bases des réseaux"},
		Summary: catalog.Text{
			EN: "Four courses over a semester, one opening every month, with a common certificate.",
			FR: "Quatre cours sur un semestre, un par mois, avec un certificat commun.",
		},
		Audience: catalog.Text{EN: "Students and professionals of West Africa", FR: "Étudiants et professionnels d’Afrique de l’Ouest"},
		Language: "fr", Organisations: []string{"IMT", espOrganiser},
		Parts: []programs.Node{required("ALDDT", 30, 120), required("PRD", 50, 200), required("LAN", 40, 160), required("FTTH", 30, 120)},
	}
	espStarts, espEnds = day(2019, 2, 4), time.Date(2019, 7, 12, 22, 0, 0, 0, time.UTC)
	// The number seeds the made-up grades. The first ranks succeed everywhere: the 14 of the paper.
	espSessions = []session{
		{key: "ALDDT-ESP-2019", course: "ALDDT", number: 2019, enrolled: espLearners, started: 71, diligent: 58, succeeded: 41},
		{key: "PRD-ESP-2019", course: "PRD", number: 2020, enrolled: espLearners, started: 60, diligent: 44, succeeded: 29},
		{key: "LAN-ESP-2019", course: "LAN", number: 2021, enrolled: espLearners, started: 47, diligent: 33, succeeded: 20},
		{key: "FTTH-ESP-2019", course: "FTTH", number: 2022, enrolled: espLearners, started: 38, diligent: 25, succeeded: espCertified},
	}
)

func required(key string, hours, ects int, after ...string) programs.Node {
	return programs.Node{Course: &programs.CourseRule{Key: key, After: after, WorkloadHours: hours, ECTSHundredths: ects}}
}

// programEvents is the story of the programs: published in autumn, sold in winter, followed in spring.
func (m *maker) programEvents() (events []event) {
	add := func(at time.Time, what string, do func(context.Context) error) {
		events = append(events, event{at, espEdition + ": " + what, do})
	}
	add(day(2018, 10, 1), "programs", m.furnishPrograms)
	add(espJoins, "cohort", m.enrolDakar)
	for i := range espLearners {
		add(day(2018, 12, 10).Add(time.Duration(i)*16*time.Hour), "payment at the desk", func(ctx context.Context) error { return m.payAtDesk(ctx, i) })
	}
	passed := make([]int, espCertified)
	for i := range passed {
		passed[i] = i
	}
	for n, s := range espSessions {
		report := espStarts.AddDate(0, n, monthOfReport)
		add(report, s.key+" grades", func(ctx context.Context) error { return m.grades(ctx, s, true) })
		at := report.AddDate(0, 0, 4)
		add(at, s.key+" exam", func(ctx context.Context) error { return m.exam(ctx, s, at, passed...) })
	}
	return events
}

// furnishPrograms publishes the programs with their editions of 2019 and lets the learners of the partner join.
func (m *maker) furnishPrograms(ctx context.Context) error {
	exercises, err := catalog.ReadExerciseMap(strings.NewReader(exerciseMap))
	if err != nil {
		return err
	}
	return m.h.DB.InTx(ctx, "demo programs", func(ctx context.Context, tx *postgres.Tx) error {
		for key, content := range map[string]programs.Content{sequenceKey: sequence, basicsKey: basics} {
			if err := publishProgram(ctx, tx, key, content); err != nil {
				return err
			}
		}
		starts, ends, from, until := day(2019, 1, 14), day(2019, 6, 23), day(2018, 11, 14), day(2019, 2, 11)
		if _, err := publishEdition(ctx, tx, "NETWORKS-SPRING-2019", programs.EditionPlan{
			Program: sequenceKey, Title: catalog.Text{EN: "The Networks sequence, spring 2019", FR: "La suite Réseaux, printemps 2019"}, Lang: "fr",
			StartsAt: &starts, EndsAt: &ends, EnrolFrom: &from, EnrolUntil: &until, Sessions: []programs.SessionPlan{
				{Session: "ALDDT-1", Opening: programs.AtOnce}, {Session: "PRD-8", Opening: programs.AfterPrevious}, {Session: "RQOS-6", Opening: programs.AfterPrevious},
			},
		}); err != nil {
			return err
		}
		return m.furnishPartner(ctx, tx, exercises)
	})
}

// furnishPartner makes the edition with the ESP: four SPOC sessions, one opening per month, offered to the members of the school alone.
func (m *maker) furnishPartner(ctx context.Context, tx *postgres.Tx, exercises []catalog.Exercise) error {
	from, until, seats := day(2018, 12, 3), time.Date(2019, 2, 28, 22, 0, 0, 0, time.UTC), 200
	plan := programs.EditionPlan{
		Program: basicsKey, Title: catalog.Text{EN: "Networks basics with ESP, spring 2019", FR: "Les bases des réseaux avec l’ESP, printemps 2019"}, Lang: "fr",
		Partner: espName, Capacity: &seats, StartsAt: &espStarts, EndsAt: &espEnds, EnrolFrom: &from, EnrolUntil: &until,
	}
	for _, s := range espSessions {
		title := titleOf(s.course, 0)
		made, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: s.key, CourseKey: s.course, Title: catalog.Text{EN: title.EN + ", with ESP, spring 2019", FR: title.FR + ", avec l’ESP, printemps 2019"}, Kind: catalog.Spoc,
			Platform: "fun-campus", PlatformKey: "course-v1:MinesTelecom+" + s.course + "+ESP2019", CourseURL: "https://www.fun-campus.fr/", Audience: "ESP Dakar", Language: "fr",
			ThresholdPPM: 500_000, StartsAt: &espStarts, EndsAt: &espEnds, EnrolFrom: &from, EnrolUntil: &until, Capacity: &seats, Exercises: exercises,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", s.key, err)
		}
		m.open[s.key] = made
		plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: s.key, Opening: programs.Monthly})
	}
	e, err := publishEdition(ctx, tx, espEdition, plan)
	if err != nil {
		return err
	}
	if err := identity.PutOrganisationTx(ctx, tx, espOrganiser, espName); err != nil {
		return err
	}
	paid, err := offers.CreateTx(ctx, tx, offers.NewOffer{Edition: e.ID, Formula: offers.Qualifying, Price: money.Of(seatXOF, "XOF"), Audience: espOrganiser})
	if err != nil {
		return err
	}
	m.offers[espEdition] = [2]offers.Offer{{}, paid}
	for i := range espLearners {
		p, err := identity.PutPersonTx(ctx, tx, address(session{key: espOrganiser}, i), people[(7*i+2)%len(people)], "fr")
		if err != nil {
			return err
		}
		if err := identity.JoinTx(ctx, tx, espOrganiser, p.ID); err != nil {
			return err
		}
		m.buyers[espEdition] = append(m.buyers[espEdition], p)
	}
	for _, s := range espSessions {
		m.buyers[s.key] = m.buyers[espEdition]
		for i := range espLearners {
			m.casts[s.key] = append(m.casts[s.key], learner{number: espFirst + i, stage: s.stageOf(i), buyer: i})
		}
	}
	return nil
}

// openProgram makes the edition of Networks basics that everybody can buy now, in euro or in CFA francs. PRD runs in a session that is there.
func (m *maker) openProgram(ctx context.Context, tx *postgres.Tx, starts, from, until time.Time, exercises []catalog.Exercise) error {
	ends := starts.AddDate(0, 6, 0)
	plan := programs.EditionPlan{
		Program: basicsKey, Title: catalog.Text{EN: "Networks basics, open to everybody", FR: "Les bases des réseaux, ouvertes à toutes et à tous"}, Lang: "fr", Partner: espName,
		StartsAt: &starts, EndsAt: &ends, EnrolFrom: &from, EnrolUntil: &until,
	}
	for _, c := range []struct {
		key, course string
		number      int
	}{{"ALDDT-2", "ALDDT", 2}, {openKey, "PRD", 9}, {"LAN-3", "LAN", 3}, {"FTTH-2", "FTTH", 2}} {
		plan.Sessions = append(plan.Sessions, programs.SessionPlan{Session: c.key, Opening: programs.Monthly})
		if c.key == openKey {
			continue
		}
		s, err := catalog.CreateSessionTx(ctx, tx, catalog.NewSession{
			Key: c.key, CourseKey: c.course, Number: c.number, Title: titleOf(c.course, c.number), Platform: "fun", CourseURL: "https://www.fun-mooc.fr/", ThresholdPPM: 500_000,
			StartsAt: &starts, EndsAt: &ends, EnrolFrom: &from, EnrolUntil: &until, Exercises: exercises,
		})
		if err != nil {
			return err
		}
		if err := m.offer(ctx, tx, s); err != nil {
			return err
		}
	}
	e, err := publishEdition(ctx, tx, openEdition, plan)
	if err != nil {
		return err
	}
	for _, price := range []money.Amount{m.euros(seatEUR), money.Of(seatXOF, "XOF")} {
		if _, err := offers.CreateTx(ctx, tx, offers.NewOffer{Edition: e.ID, Formula: offers.Qualifying, Price: price}); err != nil {
			return err
		}
	}
	return nil
}

// publishProgram writes a program, has it read, and publishes it.
func publishProgram(ctx context.Context, tx *postgres.Tx, key string, c programs.Content) error {
	if _, err := programs.SaveDraftTx(ctx, tx, key, c, programs.New); err != nil {
		return fmt.Errorf("%s: %w", key, err)
	}
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		if _, err := programs.MoveProgramTx(ctx, tx, key, to, "", 0); err != nil {
			return fmt.Errorf("%s: %w", key, err)
		}
	}
	return nil
}

func publishEdition(ctx context.Context, tx *postgres.Tx, key string, plan programs.EditionPlan) (e programs.Edition, err error) {
	if _, err := programs.PutEditionTx(ctx, tx, key, plan, programs.New); err != nil {
		return e, fmt.Errorf("%s: %w", key, err)
	}
	for _, to := range []catalog.Publication{catalog.InReview, catalog.Published} {
		if e, err = programs.MoveEditionTx(ctx, tx, key, to, "", 0); err != nil {
			return e, fmt.Errorf("%s: %w", key, err)
		}
	}
	return e, nil
}
