package programs

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/lib/pq"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/fault"
	"cursus/internal/platform/postgres"
)

// MoveCourseTx is that of the catalogue, which knows no programs, for all who may meet one: a course is not archived while the public
// can still be sent to it, by a published session that is not over, the version of a program that is public, or an edition in force
// (ErrCourseInUse, which names them).
func MoveCourseTx(ctx context.Context, tx *postgres.Tx, idOrKey string, to catalog.Publication, note string, expected int) (catalog.Working, catalog.Report, error) {
	if to == catalog.Archived {
		if err := unused(ctx, tx, idOrKey); err != nil {
			return catalog.Working{}, catalog.Report{}, err
		}
	}
	return catalog.MoveCourseTx(ctx, tx, idOrKey, to, note, expected)
}

func unused(ctx context.Context, tx *postgres.Tx, idOrKey string) error {
	w, err := catalog.LockDraftTx(ctx, tx, idOrKey)
	if err != nil || w.State == catalog.Archived {
		return err
	}
	var uses []string
	if err := tx.Select(ctx, &uses, q.Q("UsesOfCourse"), w.ID, tx.Now()); err != nil {
		return err
	}
	if len(uses) > 0 {
		return ErrCourseInUse.Detailf("%s is used by %s.", w.Key, strings.Join(uses, ", ")).At("", ErrCourseInUse.Code, strings.Join(uses, ", "))
	}
	return nil
}

// shown refuses a content that names a course which the public does not see, and holds its courses, so that none is archived meanwhile.
func shown(ctx context.Context, tx *postgres.Tx, c Content) error {
	var keys, public []string
	for _, course := range c.Courses() {
		keys = append(keys, course.Key)
	}
	if err := tx.Select(ctx, &public, q.Q("PublicCourses"), pq.Array(keys)); err != nil {
		return err
	}
	in := map[string]bool{}
	for _, key := range public {
		in[key] = true
	}
	var wrong []fault.Field
	walk(c.Parts, "/parts", func(n Node, at string) {
		if n.Course != nil && !in[n.Course.Key] {
			wrong = append(wrong, fault.Field{Pointer: at + "/course/key", Code: "course-not-public", Detail: fmt.Sprintf("The public does not see %s: publish the course first.", n.Course.Key)})
		}
	})
	if wrong == nil {
		return nil
	}
	out := *ErrCourseHidden
	out.Fields = wrong
	return &out
}

// ShownTx says of a program that the public sees whether it sees the courses of its version, too (ErrCourseHidden, with the place of each
// that it does not).
func ShownTx(ctx context.Context, tx *postgres.Tx, idOrKey string) error {
	p, err := ProgramTx(ctx, tx, idOrKey)
	if errors.Is(err, ErrNoProgram) || err == nil && (!p.Visible || p.Published == nil) {
		return nil
	}
	if err != nil {
		return err
	}
	return shown(ctx, tx, *p.Published)
}
