package app

import (
	"context"
	"strconv"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/api"
)

// view reads in one transaction and gives what was read.
func view[T any](ctx context.Context, h *House, name string, read func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	err = h.DB.View(ctx, name, func(ctx context.Context, tx *postgres.Tx) (err error) {
		out, err = read(ctx, tx)
		return err
	})
	return out, err
}

// change writes in one transaction and gives what was made of it.
func change[T any](ctx context.Context, h *House, name string, write func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	err = h.DB.InTx(ctx, name, func(ctx context.Context, tx *postgres.Tx) (err error) {
		out, err = write(ctx, tx)
		return err
	})
	return out, err
}

// CourseCollections lists the published collections; there are few.
func (r Rooms) CourseCollections(ctx context.Context, p page.Request) ([]catalog.Collection, string, error) {
	all, err := view(ctx, r.h, "list collections", catalog.PublicCollectionsTx)
	some, next := someCollections(all, p)
	return some, next, err
}

func someCollections(all []catalog.Collection, p page.Request) ([]catalog.Collection, string) {
	for len(all) > 0 && all[0].Key <= p.After {
		all = all[1:]
	}
	return cut(all, page.Request{Limit: p.Limit}, func(c catalog.Collection) string { return c.Key })
}

// CourseCollection finds a published collection.
func (r Rooms) CourseCollection(ctx context.Context, key string) (catalog.Collection, error) {
	return view(ctx, r.h, "collection", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.PublicCollectionTx(ctx, tx, key)
	})
}

// CourseCollectionDrafts lists the collections as their authors see them.
func (r Rooms) CourseCollectionDrafts(ctx context.Context, _ api.Principal, p page.Request) ([]catalog.Collection, string, error) {
	all, err := view(ctx, r.h, "list collection drafts", catalog.CollectionsTx)
	some, next := someCollections(all, p)
	return some, next, err
}

// CourseCollectionDraft finds the working copy of a collection.
func (r Rooms) CourseCollectionDraft(ctx context.Context, _ api.Principal, key string) (catalog.Collection, error) {
	return view(ctx, r.h, "collection draft", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.CollectionTx(ctx, tx, key)
	})
}

// PutCourseCollection writes the working copy of a collection.
func (r Rooms) PutCourseCollection(ctx context.Context, _ api.Principal, c catalog.Collection, version int) (catalog.Collection, error) {
	return change(ctx, r.h, "put collection", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.SaveCollectionTx(ctx, tx, c, version)
	})
}

// MoveCourseCollection moves a collection to another state of publication.
func (r Rooms) MoveCourseCollection(ctx context.Context, _ api.Principal, key string, to catalog.Publication, note string, version int) (catalog.Collection, error) {
	return change(ctx, r.h, "move collection", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.MoveCollectionTx(ctx, tx, key, to, note, version)
	})
}

// CourseCollectionHistory lists versions and moves of a collection.
func (r Rooms) CourseCollectionHistory(ctx context.Context, _ api.Principal, key string, p page.Request) (versions []catalog.Collection, moves []catalog.Move, next string, err error) {
	from, err := before(p)
	if err != nil {
		return nil, nil, "", err
	}
	err = r.h.DB.View(ctx, "collection history", func(ctx context.Context, tx *postgres.Tx) (err error) {
		versions, moves, err = catalog.CollectionPastTx(ctx, tx, key, from, p.Limit+1)
		return err
	})
	versions, next = onward(versions, p.Limit, func(c catalog.Collection) int { return c.Version })
	return versions, moves, next, err
}

// courseList is a page of courses.
type courseList struct {
	courses []catalog.Course
	next    string
}

func listCourses(ctx context.Context, tx *postgres.Tx, f catalog.Filter, p page.Request) (out courseList, err error) {
	out.courses, out.next, err = catalog.CourseListTx(ctx, tx, f, p)
	return out, err
}

// CourseDrafts lists courses as their authors see them.
func (r Rooms) CourseDrafts(ctx context.Context, _ api.Principal, f catalog.Filter, p page.Request) ([]catalog.Course, string, error) {
	out, err := view(ctx, r.h, "list drafts", func(ctx context.Context, tx *postgres.Tx) (courseList, error) { return listCourses(ctx, tx, f, p) })
	return out.courses, out.next, err
}

// CourseDraft finds the working copy of a course.
func (r Rooms) CourseDraft(ctx context.Context, _ api.Principal, course string) (catalog.Working, error) {
	return view(ctx, r.h, "draft", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		return catalog.DraftTx(ctx, tx, course)
	})
}

// PutCourseDraft writes the working copy of a course, named by its key or, where it is there, its id.
func (r Rooms) PutCourseDraft(ctx context.Context, _ api.Principal, course string, d catalog.Draft, version int) (catalog.Working, error) {
	return change(ctx, r.h, "put draft", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		if known, err := catalog.CourseTx(ctx, tx, course); err == nil {
			course = known.Key
		}
		return catalog.PutDraftTx(ctx, tx, course, d, version)
	})
}

// MoveCourse moves a course to another state of publication.
func (r Rooms) MoveCourse(ctx context.Context, _ api.Principal, course string, to catalog.Publication, note string, version int) (w catalog.Working, report catalog.Report, err error) {
	err = r.h.DB.InTx(ctx, "move course", func(ctx context.Context, tx *postgres.Tx) (err error) {
		w, report, err = programs.MoveCourseTx(ctx, tx, course, to, note, version)
		return err
	})
	return w, report, err
}

// CourseConformance holds a version of a course against one of the charter.
func (r Rooms) CourseConformance(ctx context.Context, _ api.Principal, course string, version, charter int) (catalog.Report, error) {
	return view(ctx, r.h, "conformance", func(ctx context.Context, tx *postgres.Tx) (catalog.Report, error) {
		w, err := catalog.DraftTx(ctx, tx, course)
		if err == nil && version > 0 {
			w, err = catalog.VersionTx(ctx, tx, course, version)
		}
		if err != nil {
			return catalog.Report{}, err
		}
		c, err := catalog.CharterTx(ctx, tx, charter)
		return catalog.Conform(c, w.Document), err
	})
}

// before reads a cursor that is a version.
func before(p page.Request) (int, error) {
	if p.After == "" {
		return 0, nil
	}
	n, err := strconv.Atoi(p.After)
	if err != nil || n < 1 || n > 1<<30 {
		return 0, page.ErrCursor
	}
	return n, nil
}

// onward cuts a list that was read with one row more than the page, and gives the version to go on before.
func onward[T any](all []T, limit int, version func(T) int) ([]T, string) {
	if len(all) <= limit {
		return all, ""
	}
	return all[:limit], strconv.Itoa(version(all[limit-1]))
}

// CourseHistory lists versions and moves of a course.
func (r Rooms) CourseHistory(ctx context.Context, _ api.Principal, course string, p page.Request) (versions []catalog.CourseVersion, moves []catalog.Move, next string, err error) {
	from, err := before(p)
	if err != nil {
		return nil, nil, "", err
	}
	err = r.h.DB.View(ctx, "history", func(ctx context.Context, tx *postgres.Tx) error {
		c, err := catalog.CourseTx(ctx, tx, course)
		if err != nil {
			return err
		}
		if versions, err = catalog.VersionsTx(ctx, tx, c.ID, from, p.Limit+1); err != nil {
			return err
		}
		moves, err = catalog.MovesTx(ctx, tx, "course", c.ID)
		return err
	})
	versions, next = onward(versions, p.Limit, func(v catalog.CourseVersion) int { return v.Version })
	return versions, moves, next, err
}

// CourseVersion finds a version of a course.
func (r Rooms) CourseVersion(ctx context.Context, _ api.Principal, course string, version int) (catalog.Working, error) {
	return view(ctx, r.h, "version", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		return catalog.VersionTx(ctx, tx, course, version)
	})
}

// Charter finds a version of the charter, and says which is in force.
func (r Rooms) Charter(ctx context.Context, _ api.Principal, version int) (c catalog.Charter, inForce int, err error) {
	err = r.h.DB.View(ctx, "charter", func(ctx context.Context, tx *postgres.Tx) error {
		last, err := catalog.CharterTx(ctx, tx, 0)
		if err != nil {
			return err
		}
		c, inForce = last, last.Version
		if version > 0 {
			c, err = catalog.CharterTx(ctx, tx, version)
		}
		return err
	})
	return c, inForce, err
}

// Charters lists the versions of the charter.
func (r Rooms) Charters(ctx context.Context, _ api.Principal, p page.Request) ([]catalog.Charter, string, error) {
	from, err := before(p)
	if err != nil {
		return nil, "", err
	}
	all, err := view(ctx, r.h, "charters", func(ctx context.Context, tx *postgres.Tx) ([]catalog.Charter, error) {
		return catalog.ChartersTx(ctx, tx, from, p.Limit+1)
	})
	some, next := onward(all, p.Limit, func(c catalog.Charter) int { return c.Version })
	return some, next, err
}

// PutCharter writes the next version of the charter.
func (r Rooms) PutCharter(ctx context.Context, _ api.Principal, rules []catalog.Rule, note string, version int) (catalog.Charter, error) {
	return change(ctx, r.h, "put charter", func(ctx context.Context, tx *postgres.Tx) (catalog.Charter, error) {
		return catalog.PutCharterTx(ctx, tx, rules, note, version)
	})
}
