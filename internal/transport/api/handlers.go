package api

import (
	"context"
	"encoding/json"

	contract "cursus/api"
	"cursus/api/server"
	"cursus/internal/kernel/page"
)

// handlers turn each operation into a question to the rooms. They know nothing of HTTP but what the contract says.
type handlers struct{ rooms Rooms }

var _ server.StrictServerInterface = handlers{}

// call is what the door knows of a request when it lets it in.
type call struct {
	who  Principal
	body []byte // as it was sent
}

type callKey struct{}

func callOf(ctx context.Context) call {
	c, _ := ctx.Value(callKey{}).(call)
	return c
}

func callerOf(ctx context.Context) Principal { return callOf(ctx).who }

// pageOf reads which page of a list is wanted.
func pageOf(limit *contract.Limit, cursor *contract.Cursor) (page.Request, error) {
	return page.Parse(value(limit), value(cursor))
}

// value is what a pointer points to, or nothing.
func value[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// given points to a value, unless it is nothing.
func given[T comparable](v T) *T {
	var nothing T
	if v == nothing {
		return nil
	}
	return &v
}

// each turns every item of a list; a list without items is empty, not null.
func each[A, B any](in []A, f func(A) B) []B {
	out := make([]B, len(in))
	for i, a := range in {
		out[i] = f(a)
	}
	return out
}

// as turns a value of a room into the type of the contract, and back: both have the same JSON.
func as[To any](from any) (to To, err error) {
	b, err := json.Marshal(from)
	if err == nil {
		err = json.Unmarshal(b, &to)
	}
	return to, err
}
