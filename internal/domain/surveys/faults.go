package surveys

import "cursus/internal/kernel/fault"

// Every fault of this room.
var (
	ErrNone          = fault.New(fault.NotFound, "no-such-questionnaire", "The session has no such questionnaire.")
	ErrChanged       = fault.New(fault.Precondition, "changed-meanwhile", "The questionnaire was changed since you read it. Read it again and decide again.")
	ErrNotPublished  = fault.New(fault.Conflict, "questionnaire-not-published", "The questionnaire was not published yet.")
	ErrNotOpen       = fault.New(fault.Conflict, "questionnaire-not-open", "The questionnaire is not open now.")
	ErrEmpty         = fault.New(fault.Unprocessable, "questionnaire-empty", "A questionnaire without questions is not published.")
	ErrUnreadable    = fault.New(fault.Invalid, "unreadable-file", "The file is not readable as text.")
	ErrTooLarge      = fault.New(fault.TooLarge, "file-too-large", "The file is larger than 32 MiB.")
	ErrForumTooLarge = fault.New(fault.TooLarge, "file-too-large", "The export of a forum is larger than 512 MiB.")
	ErrNoImport      = fault.New(fault.NotFound, "no-such-import", "The session has no such import.")
	ErrNotKept       = fault.New(fault.NotFound, "file-not-kept", "The bytes of this file are not kept.")
	ErrNotASurvey    = fault.New(fault.Invalid, "not-a-survey", "The file is no table of answers: it has no header, or no column that says who answered.")
	ErrNotAForum     = fault.New(fault.Invalid, "not-a-forum", "The file is no export of a forum: it says no id, author or time of posts.")
	ErrMap           = fault.New(fault.Invalid, "bad-mapping", "The mapping names a column or a question that there is not.")
	ErrNoAnswers     = fault.New(fault.Invalid, "no-answers", "No column of the file is an answer to the questionnaire. If it holds answers, say what its columns are; if it holds scores, write the plain form: learner, and a column for each exercise.")
	ErrNoRows        = fault.New(fault.Invalid, "file-without-rows", "The file has no row that can be read.")
	ErrNoTime        = fault.New(fault.Invalid, "collection-time-missing", "Neither the rows nor the name of the file say when; give the time.")
	ErrFuture        = fault.New(fault.Invalid, "collection-in-the-future", "The file says that it was made later than now.")
)
