package idempotency_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"cursus/internal/platform/idempotency"
	"cursus/internal/platform/postgres"
	"cursus/internal/testkit"
)

type work = func(context.Context, *postgres.Tx) (idempotency.Reply, error)

func answering(runs *int) work {
	return func(context.Context, *postgres.Tx) (idempotency.Reply, error) {
		*runs++
		return idempotency.Reply{Status: 201, Body: []byte(`{"a": 1}`)}, nil
	}
}

func TestRepeatedRequestGetsTheSameBytes(t *testing.T) {
	s, ctx, runs := idempotency.New(testkit.DB(t)), context.Background(), 0
	for i := range 3 {
		r, replayed, err := s.Do(ctx, "per_1", "k", "h", answering(&runs))
		if err != nil || r.Status != 201 || string(r.Body) != `{"a": 1}` || replayed != (i > 0) || runs != 1 {
			t.Fatal(i, r, replayed, runs, err)
		}
	}
	if _, _, err := s.Do(ctx, "per_1", "k", "other", answering(&runs)); !errors.Is(err, idempotency.ErrReused) {
		t.Fatal(err)
	}
	if _, replayed, err := s.Do(ctx, "per_2", "k", "other", answering(&runs)); err != nil || replayed {
		t.Fatal("keys belong to their principal:", replayed, err)
	}
}

func TestFailureStoresNothing(t *testing.T) {
	s, ctx, runs := idempotency.New(testkit.DB(t)), context.Background(), 0
	broken := errors.New("broken")
	if _, _, err := s.Do(ctx, "per_1", "k", "h", func(context.Context, *postgres.Tx) (idempotency.Reply, error) {
		return idempotency.Reply{}, broken
	}); !errors.Is(err, broken) {
		t.Fatal(err)
	}
	if _, replayed, err := s.Do(ctx, "per_1", "k", "h", answering(&runs)); err != nil || replayed || runs != 1 {
		t.Fatal(replayed, runs, err)
	}
}

func TestSecondRequestInFlightIsRefused(t *testing.T) {
	s, ctx, runs := idempotency.New(testkit.DB(t)), context.Background(), 0
	if _, _, err := s.Do(ctx, "per_1", "k", "h", func(context.Context, *postgres.Tx) (idempotency.Reply, error) {
		// Another request of the same client, so another context, while this one holds the key.
		if _, _, err := s.Do(context.Background(), "per_1", "k", "h", answering(&runs)); !errors.Is(err, idempotency.ErrInFlight) {
			t.Error(err)
		}
		return idempotency.Reply{Status: 204}, nil
	}); err != nil || runs != 0 {
		t.Fatal(runs, err)
	}
}

func TestKeyLimits(t *testing.T) {
	s, runs := idempotency.New(testkit.DB(t)), 0
	for _, key := range []string{"", strings.Repeat("k", 256), "a\nb", "é"} {
		if _, _, err := s.Do(context.Background(), "per_1", key, "h", answering(&runs)); !errors.Is(err, idempotency.ErrKey) {
			t.Errorf("%q: %v", key, err)
		}
	}
}
