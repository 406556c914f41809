// Command cohort is an example for a partner school: it enrols the learners of a CSV file in a cohort and prints how far each of them is.
// What it needs of the API is in the package cursus/api, which is made from the contract.
//
//	CURSUS_URL=https://cursus.example.org CURSUS_KEY=cursus_key_… go run cursus/api/example/cohort ESP off_… roster.csv
//
// Run again it changes nothing, and prints how far they are by then.
package main

import (
	"context"
	"encoding/csv"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"

	"cursus/api"
)

func main() {
	if len(os.Args) != 4 {
		log.Fatal("usage: cohort ORGANISATION OFFER ROSTER.CSV")
	}
	file, err := os.Open(os.Args[3])
	if err != nil {
		log.Fatal(err)
	}
	if err := run(context.Background(), os.Getenv("CURSUS_URL"), os.Getenv("CURSUS_KEY"), os.Args[1], os.Args[2], file, os.Stdout); err != nil {
		log.Fatal(err)
	}
}

func run(ctx context.Context, url, key, organisation, offer string, roster io.Reader, out io.Writer) error {
	school, err := api.NewClientWithResponses(url, api.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Header.Set("Authorization", "Bearer "+key)
		return nil
	}))
	if err != nil {
		return err
	}
	rows, err := read(roster)
	if err != nil {
		return err
	}
	// The keys of idempotency say what is made: sent again, both requests give what they gave.
	made, err := school.CreatePartnerCohortWithResponse(ctx, &api.CreatePartnerCohortParams{IdempotencyKey: "example-" + offer}, api.NewPartnerCohort{
		Organisation: organisation, Key: "EXAMPLE", Name: "Example", Offer: offer, Agreement: api.CohortAgreementPayAtSchool,
	})
	if err != nil {
		return err
	}
	if made.JSON201 == nil {
		return fmt.Errorf("the cohort was not made: %s %s", made.Status(), made.Body)
	}
	cohort := made.JSON201.Id
	for len(rows) > 0 {
		some := rows[:min(len(rows), 1000)] // as many as one request takes
		rows = rows[len(some):]
		enrolled, err := school.EnrolCohortWithResponse(ctx, cohort, &api.EnrolCohortParams{IdempotencyKey: "example-" + some[0].StudentKey}, api.CohortRows{Rows: some})
		if err != nil {
			return err
		}
		results := enrolled.JSON200
		if results == nil {
			results = enrolled.JSON207 // some were refused, each with its code
		}
		if results == nil {
			return fmt.Errorf("nobody was enrolled: %s %s", enrolled.Status(), enrolled.Body)
		}
		for _, r := range results.Results {
			_, _ = fmt.Fprintln(out, r.StudentKey, r.Code)
		}
	}
	return progress(ctx, school, cohort, out)
}

// progress prints how far each learner is who agreed that her school sees it, page by page.
func progress(ctx context.Context, school *api.ClientWithResponses, cohort string, out io.Writer) error {
	for p := (api.ListCohortProgressParams{}); ; {
		page, err := school.ListCohortProgressWithResponse(ctx, cohort, &p)
		if err != nil {
			return err
		}
		if page.JSON200 == nil {
			return fmt.Errorf("no progress: %s %s", page.Status(), page.Body)
		}
		for _, l := range page.JSON200.Learners {
			_, _ = fmt.Fprintln(out, l.StudentKey, l.State, "shared:", l.Shared)
		}
		if p.Cursor = page.JSON200.NextCursor; p.Cursor == nil || *p.Cursor == "" {
			return nil
		}
	}
}

// read reads student_key and email; other columns say nothing here.
func read(roster io.Reader) (rows []api.CohortRow, err error) {
	lines, err := csv.NewReader(roster).ReadAll()
	if err != nil {
		return nil, err
	}
	for i, line := range lines {
		if i > 0 && len(line) > 1 { // the first names the columns
			rows = append(rows, api.CohortRow{StudentKey: line[0], Email: &line[1]})
		}
	}
	return rows, nil
}
