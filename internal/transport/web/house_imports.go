package web

import (
	"context"
	"time"

	"cursus/internal/domain/exams"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/surveys"
)

// ImportHouse is what the pages ask of the rooms about files of learning platforms. Who may not write grades, or exams where a file is of these, is
// Forbidden.
type ImportHouse interface {
	// ImportDesk is what was taken in for a session; of no session it is the sessions alone.
	ImportDesk(ctx context.Context, who Viewer, session string) (ImportDesk, error)
	// TakeFile tries a file or takes it in.
	TakeFile(ctx context.Context, who Viewer, f FileToTake) (FileTaken, error)
	// TakenFile gives the bytes of an intake as they came.
	TakenFile(ctx context.Context, who Viewer, session, intake string) (File, error)
	// TakingFile is how far a file is that is being taken in under a key, in per cent; false: this server knows of none.
	TakingFile(ctx context.Context, who Viewer, key string) (percent int, ok bool)
	// MapColumns decides what columns of the session are.
	MapColumns(ctx context.Context, who Viewer, session string, decisions []gradebook.Mapping, version int) error
}

// ImportDesk is what staff see of the files of a session.
type ImportDesk struct {
	Sessions []string // keys
	Session  string   // key; empty: none was chosen
	Weeks    int      // the last week of its map
	Mapped   int      // exercises of its map
	Intakes  []gradebook.Collection
	Others   []surveys.Import
	Columns  gradebook.Mappings
	Unknown  []gradebook.Question // columns of earlier files of which nobody says what they are
}

// FileToTake is a file with what it is. An empty kind is found from its header.
type FileToTake struct {
	Session, Kind, Name, Key string
	CollectedAt              time.Time
	Content                  []byte
	DryRun                   bool
	Mappings                 []gradebook.Mapping // of grades
	Answers                  []surveys.Mapped    // of a survey
	Exam                     exams.Kind          // of results; empty: the proctored one
	Progress                 func(done, of int)  // is told of each step of grades; nil: nobody
}

// FileTaken is what a file did: one of the three is there.
type FileTaken struct {
	Kind    string
	Grades  *gradebook.Collection
	Answers *surveys.Import
	Results *exams.Results
}

// What a file can be: grades stands for all that says something of grades and enrolments, which its header tells apart.
const (
	FileOfGrades  = "grades"
	FileOfResults = "results"
	FileOfOpening = "opening"
	FileOfClosing = "closing"
	FileOfForum   = "forum"
)

// FileKinds are those that can be chosen.
func FileKinds() []string {
	return []string{FileOfGrades, FileOfResults, FileOfOpening, FileOfClosing, FileOfForum}
}
