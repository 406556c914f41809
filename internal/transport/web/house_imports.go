package web

import (
	"context"
	"io"

	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/intakes"
	paging "cursus/internal/kernel/page"
)

// ImportHouse is what the pages ask of the rooms about files of learning platforms. Who may not write grades, or exams where a file is of these, is
// Forbidden.
type ImportHouse interface {
	// ImportDesk is what was taken in for a session; of no session it is the sessions alone.
	ImportDesk(ctx context.Context, who Viewer, session string, p paging.Request) (ImportDesk, error)
	// BeginFiles opens a batch, ReceiveFile keeps a file of it as it is read, DecideFiles has them tried or applied, LeaveFiles drops them.
	BeginFiles(ctx context.Context, who Viewer, session string) (batch string, err error)
	ReceiveFile(ctx context.Context, who Viewer, batch, name string, from io.Reader) error
	DecideFiles(ctx context.Context, who Viewer, batch string, d intakes.Decision) error
	LeaveFiles(ctx context.Context, who Viewer, batch string) error
	// Files are those of a batch, with the last week of the map of its session, and how many exercises that has.
	Files(ctx context.Context, who Viewer, batch string) (b intakes.Batch, weeks, mapped int, err error)
	// TakenIn is an intake with what became of its rows. Names are those of learners.
	TakenIn(ctx context.Context, who Viewer, session, intake string, p paging.Request) (TakenIn, error)
	// TakenFile gives the bytes of an intake as they came; they are read while they are sent, after ctx has ended.
	TakenFile(ctx context.Context, who Viewer, session, intake string) (intakes.Intake, io.Reader, error)
	// MapColumns decides what columns of the session are.
	MapColumns(ctx context.Context, who Viewer, session string, decisions []gradebook.Mapping, version int) error
}

// ImportDesk is what staff see of the files of a session.
type ImportDesk struct {
	Sessions []string // keys
	Session  string   // key; empty: none was chosen
	Weeks    int      // the last week of its map
	Intakes  []intakes.Intake
	Next     string          // of these, where the list goes on
	Waiting  []intakes.Batch // files that were not applied yet
	Columns  gradebook.Mappings
	Unknown  []gradebook.Question // columns of earlier files of which nobody says what they are
}

// TakenIn is an intake as staff see it.
type TakenIn struct {
	Session  string // key
	Intake   intakes.Intake
	Outcomes []intakes.Outcome
	Next     string
	Names    map[string]string // by learner
}
