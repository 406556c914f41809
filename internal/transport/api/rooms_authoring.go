package api

import (
	"context"

	"cursus/internal/domain/catalog"
	"cursus/internal/kernel/page"
)

// AuthoringRooms is what the API asks of the house about the catalogue: collections, courses, charter, sessions. It speaks in the rooms' own types, whose JSON is that of
// the contract; TestTheWholeHouseKeepsTheContract holds them to it. Versions are those that the caller read; 0 takes any.
type AuthoringRooms interface {
	ExchangeRooms
	CourseCollections(ctx context.Context, p page.Request) (collections []catalog.Collection, next string, err error)
	CourseCollection(ctx context.Context, key string) (catalog.Collection, error)
	CourseCollectionDrafts(ctx context.Context, who Principal, p page.Request) (drafts []catalog.Collection, next string, err error)
	CourseCollectionDraft(ctx context.Context, who Principal, key string) (catalog.Collection, error)
	PutCourseCollection(ctx context.Context, who Principal, c catalog.Collection, version int) (catalog.Collection, error)
	MoveCourseCollection(ctx context.Context, who Principal, key string, to catalog.Publication, note string, version int) (catalog.Collection, error)
	CourseCollectionHistory(ctx context.Context, who Principal, key string, p page.Request) (versions []catalog.Collection, moves []catalog.Move, next string, err error)
	// CourseDrafts lists courses whether or not the public sees them.
	CourseDrafts(ctx context.Context, who Principal, f catalog.Filter, p page.Request) (courses []catalog.Course, next string, err error)
	CourseDraft(ctx context.Context, who Principal, course string) (catalog.Working, error)
	PutCourseDraft(ctx context.Context, who Principal, key string, d catalog.Draft, version int) (catalog.Working, error)
	MoveCourse(ctx context.Context, who Principal, course string, to catalog.Publication, note string, version int) (catalog.Working, catalog.Report, error)
	// CourseConformance holds a version of a course against one of the charter; 0 is the last one.
	CourseConformance(ctx context.Context, who Principal, course string, version, charter int) (catalog.Report, error)
	CourseHistory(ctx context.Context, who Principal, course string, p page.Request) (versions []catalog.CourseVersion, moves []catalog.Move, next string, err error)
	CourseVersion(ctx context.Context, who Principal, course string, version int) (catalog.Working, error)
	Charter(ctx context.Context, who Principal, version int) (c catalog.Charter, inForce int, err error)
	Charters(ctx context.Context, who Principal, p page.Request) (charters []catalog.Charter, next string, err error)
	PutCharter(ctx context.Context, who Principal, rules []catalog.Rule, note string, version int) (catalog.Charter, error)
	SessionRooms
}
