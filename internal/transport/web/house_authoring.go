package web

import (
	"context"

	"cursus/internal/domain/catalog"
	paging "cursus/internal/kernel/page"
)

// AuthoringHouse is what the pages ask of the rooms about the catalogue: collections, courses, charter, sessions. It speaks in the rooms' own types.
type AuthoringHouse interface {
	// FindCourses lists courses; those that the public does not see only for staff (catalog.Filter.All).
	FindCourses(ctx context.Context, who Viewer, f catalog.Filter, p paging.Request) (courses []catalog.Course, next string, err error)
	CourseDraft(ctx context.Context, who Viewer, key string) (catalog.Working, error)
	CourseVersion(ctx context.Context, who Viewer, key string, version int) (catalog.Working, error)
	// SaveCourse writes a working copy over the version that was read; catalog.NoVersion makes a course.
	SaveCourse(ctx context.Context, who Viewer, key string, d catalog.Draft, version int) (catalog.Working, error)
	MoveCourse(ctx context.Context, who Viewer, key string, to catalog.Publication, note string, version int) error
	// CourseHistory is the newest versions and all moves, with names for people.
	CourseHistory(ctx context.Context, who Viewer, key string) ([]catalog.CourseVersion, []catalog.Move, error)
	// Charters lists the versions, the one in force first.
	Charters(ctx context.Context, who Viewer) ([]catalog.Charter, error)
	SaveCharter(ctx context.Context, who Viewer, rules []catalog.Rule, note string, version int) error
	// Collection is a collection as the public sees it.
	Collection(ctx context.Context, key string) (catalog.Collection, error)
	// Collections lists those that the public sees, or, for staff alone, all working copies.
	Collections(ctx context.Context, who Viewer, all bool) ([]catalog.Collection, error)
	CollectionDesk(ctx context.Context, who Viewer, key string) (CollectionDesk, error)
	MoveCollection(ctx context.Context, who Viewer, key string, to catalog.Publication, note string, version int) error
	SaveCollection(ctx context.Context, who Viewer, c catalog.Collection, version int) error
	// PublicPaths are the addresses of everything that the public sees, for the sitemap.
	PublicPaths(ctx context.Context) ([]string, error)
}

// CollectionDesk is the working copy of a collection with its newest versions and all moves, with names for people.
type CollectionDesk struct {
	Collection catalog.Collection
	Versions   []catalog.Collection
	Moves      []catalog.Move
}

// authoringRoutes are the addresses of these pages.
func (w *Web) authoringRoutes() []route {
	return []route{
		{method: "GET", path: "/console/courses", who: staff, handle: w.consoleCourses},
		{method: "GET", path: "/console/courses/new", who: staff, handle: w.newCourse},
		{method: "POST", path: "/console/courses/new", who: staff, handle: w.makeCourse, large: true},
		{method: "GET", path: "/console/courses/:key", who: staff, handle: w.editCourse},
		{method: "POST", path: "/console/courses/:key", who: staff, handle: w.saveCourse, large: true},
		{method: "POST", path: "/console/courses/:key/state", who: staff, handle: w.moveCourse},
		{method: "GET", path: "/console/courses/:key/versions/:version", who: staff, handle: w.courseVersion},
		{method: "POST", path: "/console/courses/:key/versions/:version", who: staff, handle: w.restoreCourse},
		{method: "GET", path: "/console/collections", who: staff, handle: w.consoleCollections},
		{method: "GET", path: "/console/collections/new", who: staff, handle: w.editCollection},
		{method: "GET", path: "/console/collections/:key", who: staff, handle: w.editCollection},
		{method: "POST", path: "/console/collections/:key", who: staff, handle: w.saveCollection},
		{method: "POST", path: "/console/collections/:key/state", who: staff, handle: w.moveCollection},
		{method: "GET", path: "/console/charter", who: staff, handle: w.charter},
		{method: "GET", path: "/console/charter/edit", who: staff, handle: w.editCharter},
		{method: "POST", path: "/console/charter/edit", who: staff, handle: w.saveCharter, large: true},
		{method: "GET", path: "/collections/:key", who: anybody, handle: w.collection},
		{method: "GET", path: "/search", who: anybody, handle: w.search},
		{method: "GET", path: "/sitemap.xml", who: anybody, handle: w.sitemap},
		{method: "GET", path: "/robots.txt", who: anybody, handle: w.robots},
	}
}
