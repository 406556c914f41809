package api

import (
	"bytes"
	"context"
	"strings"

	"github.com/gofiber/fiber/v2"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/domain/analytics"
	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/page"
)

// FigureRooms is what the API asks of the house about figures, in the room's own types.
type FigureRooms interface {
	Figures(ctx context.Context, who Principal, p page.Request) (all []analytics.Definition, next string, err error)
	Figure(ctx context.Context, who Principal, id string, ask analytics.Ask) (analytics.Figure, error)
	// FigureFile is Figure, for a file.
	FigureFile(ctx context.Context, who Principal, id string, ask analytics.Ask) (analytics.Figure, error)
	ExerciseLearners(ctx context.Context, who Principal, w analytics.WhoDid, p page.Request) (all []analytics.Doer, next string, err error)
	ListedLearners(ctx context.Context, who Principal, w analytics.WhoIsListed, p page.Request) (all []analytics.Listed, next string, err error)
}

func (h handlers) ListFigures(ctx context.Context, r server.ListFiguresRequestObject) (server.ListFiguresResponseObject, error) {
	p, err := pageOf(r.Params.Limit, r.Params.Cursor)
	if err != nil {
		return nil, err
	}
	all, next, err := h.rooms.Figures(ctx, callerOf(ctx), p)
	if err != nil {
		return nil, err
	}
	text := func(en, fr string) contract.Text { return toText(Text{EN: en, FR: fr}) }
	return server.ListFigures200JSONResponse{NextCursor: given(page.Cursor(next)), Figures: each(all, func(d analytics.Definition) contract.FigureDefinition {
		return contract.FigureDefinition{
			Id: d.ID, Paper: given(d.Paper), Version: d.Version, Title: text(d.Title.EN, d.Title.FR), Definition: text(d.Says.EN, d.Says.FR), Past: d.Times,
			Parameters: each(d.Params, func(p analytics.Param) contract.FigureParameter {
				out := contract.FigureParameter{Id: p.ID, Title: text(p.Title.EN, p.Title.FR), Required: p.Required, Many: p.Many, Default: given(p.Default)}
				if p.Of != nil {
					out.Values = &p.Of
				}
				return out
			}),
		}
	})}, nil
}

// askOf reads what a figure is asked with. A name that stands twice is refused: one of the two would be lost.
func askOf(p contract.GetFigureParams) (ask analytics.Ask, err error) {
	ask = analytics.Ask{AsOf: value(p.AsOf), KnownAt: value(p.KnownAt), Params: map[string]string{}}
	for _, one := range strings.Split(value(p.Parameters), ";") {
		if one == "" {
			continue
		}
		name, v, _ := strings.Cut(one, ":")
		if _, twice := ask.Params[name]; twice {
			return ask, fault.InvalidInput(fault.Field{Pointer: "query/parameters", Code: "twice", Detail: "A name stands there twice."})
		}
		ask.Params[name] = v
	}
	return ask, nil
}

func (h handlers) GetFigure(ctx context.Context, r server.GetFigureRequestObject) (server.GetFigureResponseObject, error) {
	ask, err := askOf(r.Params)
	if err != nil {
		return nil, err
	}
	f, err := h.rooms.Figure(ctx, callerOf(ctx), r.Figure, ask)
	return figureBody{f}, err
}

// figureBody is a figure that writes itself as the contract says: it may have thousands of rows, and taking them over one by one into the types of the
// contract costs more than asking for them.
type figureBody struct{ analytics.Figure }

// VisitGetFigureResponse writes it.
func (f figureBody) VisitGetFigureResponse(ctx *fiber.Ctx) error {
	body, err := f.MarshalJSON()
	if err != nil {
		return err
	}
	ctx.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
	ctx.Status(fiber.StatusOK).Response().SetBodyRaw(body) // nobody else has it
	return nil
}

func (h handlers) ExportFigure(ctx context.Context, r server.ExportFigureRequestObject) (server.ExportFigureResponseObject, error) {
	ask, err := askOf(contract.GetFigureParams(r.Params))
	if err != nil {
		return nil, err
	}
	f, err := h.rooms.FigureFile(ctx, callerOf(ctx), r.Figure, ask)
	if err != nil {
		return nil, err
	}
	var file bytes.Buffer
	err = f.CSV(&file)
	return server.ExportFigure200TextcsvResponse{
		Body: &file, ContentLength: int64(file.Len()), Headers: server.ExportFigure200ResponseHeaders{ContentDisposition: attached(f.ID + ".csv")},
	}, err
}

func (h handlers) ListExerciseLearners(ctx context.Context, r server.ListExerciseLearnersRequestObject) (server.ListExerciseLearnersResponseObject, error) {
	w := analytics.WhoDid{Session: r.Session, Exercise: value(r.Params.Exercise), Stage: string(value(r.Params.Stage)), CollectedAt: value(r.Params.CollectedAt), AsOf: value(r.Params.AsOf), KnownAt: value(r.Params.KnownAt),
		Mode: string(value(r.Params.Mode)), Band: string(value(r.Params.Band))}
	rows, next, err := listed[contract.ExerciseLearner](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]analytics.Doer, string, error) {
		return h.rooms.ExerciseLearners(ctx, callerOf(ctx), w, p)
	})
	return server.ListExerciseLearners200JSONResponse{Learners: rows, NextCursor: next}, err
}

func (h handlers) ListListedLearners(ctx context.Context, r server.ListListedLearnersRequestObject) (server.ListListedLearnersResponseObject, error) {
	w := analytics.WhoIsListed{List: string(r.List), Session: value(r.Params.Session), Of: string(value(r.Params.Of)), AsOf: value(r.Params.AsOf), KnownAt: value(r.Params.KnownAt)}
	rows, next, err := listed[contract.ListedLearner](r.Params.Limit, r.Params.Cursor, func(p page.Request) ([]analytics.Listed, string, error) {
		return h.rooms.ListedLearners(ctx, callerOf(ctx), w, p)
	})
	return server.ListListedLearners200JSONResponse{Learners: rows, NextCursor: next}, err
}
