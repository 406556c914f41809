package app

import (
	"context"
	"errors"
	"strings"

	"cursus/internal/domain/catalog"
	"cursus/internal/domain/identity"
	"cursus/internal/domain/programs"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
	"cursus/internal/platform/postgres"
	"cursus/internal/transport/web"
)

var errMayNot = fault.New(fault.Forbidden, "missing-role", "This needs a role that you do not have.")

// may refuses a viewer who does not have a scope: staff of other trades read and do not write.
func may(who web.Viewer, scope string) error {
	if !who.May(scope) {
		return errMayNot
	}
	return nil
}

// seen reads for a viewer who may.
func seen[T any](ctx context.Context, p Pages, who web.Viewer, scope, name string, read func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	if err := may(who, scope); err != nil {
		return out, err
	}
	return view(as(ctx, who), p.h, name, read)
}

// done writes for a viewer who may.
func done[T any](ctx context.Context, p Pages, who web.Viewer, scope, name string, write func(ctx context.Context, tx *postgres.Tx) (T, error)) (out T, err error) {
	if err := may(who, scope); err != nil {
		return out, err
	}
	return change(as(ctx, who), p.h, name, write)
}

const (
	readsCatalogue  = "catalog:read"
	writesCatalogue = "catalog:write"
)

// FindCourses lists courses.
func (p Pages) FindCourses(ctx context.Context, who web.Viewer, f catalog.Filter, at page.Request) ([]catalog.Course, string, error) {
	if f.All {
		if err := may(who, readsCatalogue); err != nil {
			return nil, "", err
		}
	}
	out, err := view(as(ctx, who), p.h, "find courses", func(ctx context.Context, tx *postgres.Tx) (courseList, error) { return listCourses(ctx, tx, f, at) })
	return out.courses, out.next, err
}

// CourseDraft finds the working copy of a course.
func (p Pages) CourseDraft(ctx context.Context, who web.Viewer, key string) (catalog.Working, error) {
	return seen(ctx, p, who, readsCatalogue, "draft page", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		w, err := catalog.DraftTx(ctx, tx, key)
		if err == nil {
			w.By, err = named(ctx, tx, w.By)
		}
		return w, err
	})
}

// CourseVersion finds a version of a course.
func (p Pages) CourseVersion(ctx context.Context, who web.Viewer, key string, version int) (catalog.Working, error) {
	return seen(ctx, p, who, readsCatalogue, "version page", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		w, err := catalog.VersionTx(ctx, tx, key, version)
		if err == nil {
			w.By, err = named(ctx, tx, w.By)
		}
		return w, err
	})
}

// SaveCourse writes a working copy.
func (p Pages) SaveCourse(ctx context.Context, who web.Viewer, key string, d catalog.Draft, version int) (catalog.Working, error) {
	return done(ctx, p, who, writesCatalogue, "save course", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		return catalog.PutDraftTx(ctx, tx, key, d, version)
	})
}

// MoveCourse moves a course to another state of publication.
func (p Pages) MoveCourse(ctx context.Context, who web.Viewer, key string, to catalog.Publication, note string, version int) error {
	_, err := done(ctx, p, who, writesCatalogue, "move course page", func(ctx context.Context, tx *postgres.Tx) (catalog.Working, error) {
		w, _, err := programs.MoveCourseTx(ctx, tx, key, to, note, version)
		return w, err
	})
	return err
}

// historyLength is how many versions a page shows; the others are at the API.
const historyLength = 30

// courseHistory is what a page shows of the past.
type courseHistory struct {
	versions []catalog.CourseVersion
	moves    []catalog.Move
}

// CourseHistory lists the newest versions and all moves, with names.
func (p Pages) CourseHistory(ctx context.Context, who web.Viewer, key string) ([]catalog.CourseVersion, []catalog.Move, error) {
	out, err := seen(ctx, p, who, readsCatalogue, "history page", func(ctx context.Context, tx *postgres.Tx) (out courseHistory, err error) {
		c, err := catalog.CourseTx(ctx, tx, key)
		if err != nil {
			return out, err
		}
		if out.versions, err = catalog.VersionsTx(ctx, tx, c.ID, 0, historyLength); err != nil {
			return out, err
		}
		if out.moves, err = catalog.MovesTx(ctx, tx, "course", c.ID); err != nil {
			return out, err
		}
		for i := range out.versions {
			if out.versions[i].By, err = named(ctx, tx, out.versions[i].By); err != nil {
				return out, err
			}
		}
		for i := range out.moves {
			if out.moves[i].By, err = named(ctx, tx, out.moves[i].By); err != nil {
				return out, err
			}
		}
		return out, nil
	})
	return out.versions, out.moves, err
}

// named gives the name of who acted, as people know her; the house itself stays what it is.
func named(ctx context.Context, tx *postgres.Tx, actor string) (string, error) {
	_, id, found := strings.Cut(actor, ":")
	if !found {
		return actor, nil
	}
	person, err := identity.PersonTx(ctx, tx, id)
	if err != nil {
		if fault.From(err).Kind == fault.NotFound {
			return actor, nil
		}
		return "", err
	}
	if person.FullName == "" {
		return person.Email, nil
	}
	return person.FullName, nil
}

// mostCharters is how many versions of the charter a page lists.
const mostCharters = 100

// Charters lists the versions of the charter.
func (p Pages) Charters(ctx context.Context, who web.Viewer) ([]catalog.Charter, error) {
	return seen(ctx, p, who, readsCatalogue, "charters page", func(ctx context.Context, tx *postgres.Tx) ([]catalog.Charter, error) {
		all, err := catalog.ChartersTx(ctx, tx, 0, mostCharters)
		if err == nil && len(all) == 0 {
			err = catalog.ErrNoCharter
		}
		for i := range all {
			if err == nil {
				all[i].By, err = named(ctx, tx, all[i].By)
			}
		}
		return all, err
	})
}

// SaveCharter writes the next version of the charter.
func (p Pages) SaveCharter(ctx context.Context, who web.Viewer, rules []catalog.Rule, note string, version int) error {
	_, err := done(ctx, p, who, writesCatalogue, "save charter", func(ctx context.Context, tx *postgres.Tx) (catalog.Charter, error) {
		return catalog.PutCharterTx(ctx, tx, rules, note, version)
	})
	return err
}

// Collection is a collection as the public sees it.
func (p Pages) Collection(ctx context.Context, key string) (catalog.Collection, error) {
	return view(ctx, p.h, "collection page", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.PublicCollectionTx(ctx, tx, key)
	})
}

// Collections lists what the public sees or, for staff, all working copies.
func (p Pages) Collections(ctx context.Context, who web.Viewer, all bool) ([]catalog.Collection, error) {
	if !all {
		return view(ctx, p.h, "collections", catalog.PublicCollectionsTx)
	}
	return seen(ctx, p, who, readsCatalogue, "collections page", catalog.CollectionsTx)
}

// CollectionDesk shows a collection to who works on it.
func (p Pages) CollectionDesk(ctx context.Context, who web.Viewer, key string) (web.CollectionDesk, error) {
	return seen(ctx, p, who, readsCatalogue, "collection desk", func(ctx context.Context, tx *postgres.Tx) (out web.CollectionDesk, err error) {
		if out.Collection, err = catalog.CollectionTx(ctx, tx, key); err != nil {
			return out, err
		}
		if out.Collection.By, err = named(ctx, tx, out.Collection.By); err != nil {
			return out, err
		}
		if out.Versions, out.Moves, err = catalog.CollectionPastTx(ctx, tx, key, 0, historyLength); err != nil {
			return out, err
		}
		for i := range out.Versions {
			if out.Versions[i].By, err = named(ctx, tx, out.Versions[i].By); err != nil {
				return out, err
			}
		}
		out.Moves, err = namedMoves(ctx, tx, out.Moves)
		return out, err
	})
}

// SaveCollection writes the working copy of a collection.
func (p Pages) SaveCollection(ctx context.Context, who web.Viewer, c catalog.Collection, version int) error {
	_, err := done(ctx, p, who, writesCatalogue, "save collection", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.SaveCollectionTx(ctx, tx, c, version)
	})
	return err
}

// MoveCollection moves a collection to another state of publication.
func (p Pages) MoveCollection(ctx context.Context, who web.Viewer, key string, to catalog.Publication, note string, version int) error {
	_, err := done(ctx, p, who, writesCatalogue, "move collection page", func(ctx context.Context, tx *postgres.Tx) (catalog.Collection, error) {
		return catalog.MoveCollectionTx(ctx, tx, key, to, note, version)
	})
	return err
}

// publicPaths give the addresses of what the public sees; each area appends its own in an init of its file.
var publicPaths = []func(ctx context.Context, tx *postgres.Tx) ([]string, error){catalogPaths}

func catalogPaths(ctx context.Context, tx *postgres.Tx) ([]string, error) {
	all := []string{"/", "/search"}
	collections, err := catalog.PublicCollectionsTx(ctx, tx)
	for _, c := range collections {
		all = append(all, "/collections/"+c.Key)
	}
	courses, errCourses := catalog.CoursesTx(ctx, tx)
	for _, c := range courses {
		all = append(all, "/courses/"+c.Key)
	}
	if err = errors.Join(err, errCourses); err != nil {
		return nil, err
	}
	sessions, err := catalog.SessionsOfTx(ctx, tx, keysOf(courses)...)
	for _, s := range sessions {
		all = append(all, "/sessions/"+s.Key)
	}
	return all, err
}

// PublicPaths are the addresses for the sitemap.
func (p Pages) PublicPaths(ctx context.Context) ([]string, error) {
	return view(ctx, p.h, "sitemap", func(ctx context.Context, tx *postgres.Tx) (all []string, err error) {
		for _, paths := range publicPaths {
			some, err := paths(ctx, tx)
			if err != nil {
				return nil, err
			}
			all = append(all, some...)
		}
		return all, nil
	})
}
