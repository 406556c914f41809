package app

import (
	"context"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/gradebook"
	"cursus/internal/domain/workshops"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// What the API and the pages both do with sessions and workshop days stands here once.

// visible says whether the actor may see a session: everybody what is published, staff and the house all of them.
func visible(ctx context.Context, s catalog.Session) bool { return s.Public() || inHouse(ctx) }

func inHouse(ctx context.Context) bool {
	actor := postgres.Actor(ctx)
	return actor == "system" || strings.HasPrefix(actor, "staff:")
}

// copySessionTx copies a session and plans its workshop days again.
func copySessionTx(ctx context.Context, tx *postgres.Tx, c catalog.CopySession) (out api.SessionCopy, err error) {
	copied, err := catalog.CopySessionTx(ctx, tx, c)
	if err != nil {
		return out, err
	}
	out = api.SessionCopy{From: copied.From, Weeks: copied.Weeks, Zone: copied.Zone, Copied: copied.Has, NotCopied: copied.HasNot, Replayed: copied.Replayed}
	from, err := catalog.SessionTx(ctx, tx, c.From)
	if err != nil {
		return out, err
	}
	if copied.Replayed {
		days, err := workshops.DaysTx(ctx, tx, copied.Session.ID)
		out.WorkshopDays = len(days)
		if err != nil {
			return out, err
		}
	} else if out.WorkshopDays, err = workshops.CopyDaysTx(ctx, tx, from.ID, copied.Session.ID, copied.Weeks); err != nil {
		return out, err
	}
	if out.WorkshopDays > 0 {
		out.Copied = append(out.Copied, "workshop_days")
	}
	out.Session, err = catalog.SessionSheetTx(ctx, tx, copied.Session.ID)
	return out, err
}

// daysOf lists the workshop days of a session as the house counts them: the seats that are taken are those of everybody, whoever asks.
func (h *House) daysOf(ctx context.Context, sessionID string) (days []workshops.Day, err error) {
	err = h.DB.View(postgres.WithActor(ctx, "system"), "workshop days", func(ctx context.Context, tx *postgres.Tx) error {
		days, err = workshops.DaysTx(ctx, tx, sessionID)
		return err
	})
	return days, err
}

// importMap reads the exercise map of a session from a file.
func (h *House) importMap(ctx context.Context, in gradebook.ImportMap) (p catalog.Proposal, s catalog.Session, err error) {
	err = h.DB.InTx(ctx, "import exercises", func(ctx context.Context, tx *postgres.Tx) error {
		p, s, err = gradebook.ImportMapTx(ctx, tx, in)
		return err
	})
	return p, s, err
}
