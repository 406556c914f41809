package web

import (
	"context"
	"time"

	"cursus/internal/domain/labs"
	"cursus/internal/platform/lti"
)

// LabHouse is what the pages ask of the rooms about labs.
type LabHouse interface {
	// LaunchLab gives what the browser of a learner posts to open a lab of one of her enrolments, and OpenLab what it posts for a link that was made elsewhere.
	LaunchLab(ctx context.Context, who Viewer, enrolment, lab string) (labs.Ticket, error)
	OpenLab(ctx context.Context, who Viewer, launch string) (labs.Ticket, error)
	// AnswerLab answers the login of a provider that speaks LTI.
	AnswerLab(ctx context.Context, who Viewer, a lti.Login) (labs.Ticket, error)
	LabDesk(ctx context.Context, who Viewer, session string) (LabDesk, error)
	// LabsSeen is who is in the labs of a session now, with names for who may read results.
	LabsSeen(ctx context.Context, who Viewer, session string) (LabBoard, error)
	// LabProviders are who hosts labs, and whether the viewer may write their settings; LabProvider is one of them with its labs.
	LabProviders(ctx context.Context, who Viewer) (all []labs.Provider, maySet bool, err error)
	LabProvider(ctx context.Context, who Viewer, key string) (one labs.Provider, hosts []labs.Lab, maySet bool, err error)
	// SaveLabProvider makes a provider (version -1) or rewrites one that was read at a version; RotateLabProvider gives it another secret.
	SaveLabProvider(ctx context.Context, who Viewer, key string, version int, n labs.NewProvider) error
	RotateLabProvider(ctx context.Context, who Viewer, key string, version int, secret string) error
	WorkOnLabs(ctx context.Context, who Viewer, session, key string, w LabWork) error
}

// LabDesk is the labs of a session as staff see them.
type LabDesk struct {
	Session   string
	Labs      []labs.Lab
	Providers []labs.Provider
	MayEdit   bool
}

// LabBoard is who is in the labs of a session. MayHelp: the viewer may say that she helped, and have a machine stopped.
type LabBoard struct {
	Session string
	At      *time.Time
	In      []labs.Usage
	MayHelp bool
}

// LabWork is one thing to do: make or change a lab, help or stop (a launch).
type LabWork struct {
	Do, ID  string
	Lab     labs.NewLab
	Version int
}
