package analytics

import (
	"context"

	"cursus/internal/books/journey"
	"cursus/internal/domain/catalog"
	"cursus/internal/platform/postgres"
)

func flowFigures() []Definition {
	return []Definition{{
		ID: "sequence_flow", Paper: "12", Version: 1, Times: true, Params: []Param{sequence, byBasis}, answer: flowTx,
		Title: catalog.Text{EN: "Flow through a sequence", FR: "Flux à travers une séquence"},
		Says: catalog.Text{
			EN: "Of the learners who started at least one session of a sequence, how many went on from each session to the next: from started or not to started or not. Who started in the first session is told apart all the way, so that what is left of them in a later session can be read. The shares are of those on the left.",
			FR: "Des apprenants qui ont commencé au moins une session d’une séquence, combien sont passés de chaque session à la suivante : de commencée ou non à commencée ou non. Ceux qui ont commencé la première session sont suivis jusqu’au bout, pour que l’on lise ce qu’il en reste dans une session ultérieure. Les parts sont de ceux de gauche.",
		},
	}}
}

// mostFlow is how many sessions a flow is drawn through: more have too many columns to read.
const mostFlow = 6

func flowTx(ctx context.Context, tx *postgres.Tx, ask Ask, f *Figure) error {
	sessions, err := f.sessionsTx(ctx, tx)
	if err != nil {
		return err
	}
	if len(sessions) < 2 || len(sessions) > mostFlow {
		return badParam("sessions", "Two to six sessions, in their order.")
	}
	a, err := f.setsTx(ctx, tx, sessions, journey.Started)
	if err != nil {
		return err
	}
	var all int64
	for _, n := range a.sets {
		all += n
	}
	f.base("learners", "started in one of them", "ont commencé l’une d’elles", all)
	f.base("first", "started in "+a.keys[0], "ont commencé dans "+a.keys[0], a.sets.In(a.of(0)))
	f.Columns = []Column{
		col("from", Text, "From", "De"), col("to", Text, "To", "Vers"), col("of_first", Count, "Started in "+a.keys[0], "Ont commencé dans "+a.keys[0]),
		col("others", Count, "Others", "Autres"), col("share", Share, "Of those on the left", "De ceux de gauche"),
	}
	f.Charts = []Chart{{Kind: "flow", X: "from", Y: "to", Values: []string{"of_first", "others"}, Hover: []string{"share"}}}
	for k := range len(sessions) - 1 {
		open := openAt(tx, sessions[k], ask.AsOf) || openAt(tx, sessions[k+1], ask.AsOf)
		for _, from := range []bool{true, false} {
			there := a.flow(false, k, from, true) + a.flow(false, k, from, false)
			for _, to := range []bool{true, false} {
				first, both := a.flow(true, k, from, to), a.flow(false, k, from, to)
				if both == 0 {
					continue
				}
				f.Rows = append(f.Rows, Row{Open: open, Cells: []Cell{nodeCell(a.keys[k], from), nodeCell(a.keys[k+1], to), countCell(first), countCell(both - first), shareCell(both, there)}})
			}
		}
	}
	return nil
}

// NodeStarted ends what a cell says of a session that was started, of which a drawing makes the upper node.
const NodeStarted = ":started"

// nodeCell is a session with whether it was started.
func nodeCell(key string, started bool) Cell {
	if started {
		return saidCell(key+NodeStarted, key+": started", key+" : commencée")
	}
	return saidCell(key+":not_started", key+": not started", key+" : non commencée")
}

// flow counts who went from session k to the next; only those who started in the first session, where that is asked.
func (a asked) flow(ofFirst bool, k int, from, to bool) (n int64) {
	for mask, learners := range a.sets {
		if mask&a.of(k) != 0 == from && mask&a.of(k+1) != 0 == to && (!ofFirst || mask&1 != 0) {
			n += learners
		}
	}
	return n
}
