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
	// authorization is that header, where the operation is public and reads it itself.
	authorization string
	// signed are the headers of Standard Webhooks: id, time and signature; a message with a token has none.
	signed [3]string
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

// answered gives what a room answered in the words of the contract.
func answered[To, From any](x From, err error) (out To, _ error) {
	if err != nil {
		return out, err
	}
	return as[To](x)
}

// listed asks for a page of a room's things, and gives it in the words of the contract.
func listed[To, From any](limit *contract.Limit, cursor *contract.Cursor, all func(page.Request) ([]From, string, error)) ([]To, *string, error) {
	p, err := pageOf(limit, cursor)
	if err != nil {
		return nil, nil, err
	}
	some, next, err := all(p)
	if err != nil {
		return nil, nil, err
	}
	out, err := turned[To](some)
	return out, given(page.Cursor(next)), err
}

// put has a room do what was sent, over the version that its sender read. It gives what stands there now, as the room and as the contract
// say it.
func put[To, In, Out any](ifMatch string, body any, do func(in In, version int) (Out, error)) (out To, now Out, err error) {
	version, err := expected(ifMatch)
	if err != nil {
		return out, now, err
	}
	in, err := as[In](body)
	if err != nil {
		return out, now, err
	}
	if now, err = do(in, version); err != nil {
		return out, now, err
	}
	out, err = as[To](now)
	return out, now, err
}

// turned gives a list of a room's things as those of the contract.
func turned[To, From any](in []From) ([]To, error) {
	out := make([]To, len(in))
	for i, x := range in {
		var err error
		if out[i], err = as[To](x); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// allOf is turned for what a room answered without pages.
func allOf[To, From any](some []From, err error) ([]To, error) {
	if err != nil {
		return nil, err
	}
	return turned[To](some)
}
