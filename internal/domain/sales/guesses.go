package sales

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"time"

	"github.com/lib/pq"

	"cursus/internal/kernel/fault"
	"cursus/internal/kernel/origin"
	"cursus/internal/platform/postgres"
)

// How many wrong codes of vouchers may be tried in a while: by one person, who mistypes, and from one address, where a school sits. A code
// has 40 random bits and more, so who may try so few finds none; one that staff chose is a word, and it is those that this protects.
const (
	guessesWithin    = 15 * time.Minute
	guessesOfPerson  = 10
	guessesOfAddress = 60
)

// ErrGuesses answers who tried too many codes. It says when the next one may be tried.
var ErrGuesses = fault.New(fault.TooMany, "too-many-guesses", "Too many wrong codes were tried. Please wait before you try another one.")

// guessers are who a wrong code counts against, and how many each may try. Addresses are not kept in the clear.
func (c PlaceOrder) guessers(ctx context.Context) (who []string, most map[string]int) {
	most = map[string]int{}
	if c.BuyerID != "" {
		who, most["person:"+c.BuyerID] = append(who, "person:"+c.BuyerID), guessesOfPerson
	}
	if address := origin.Of(ctx); address != "" {
		sum := sha256.Sum256([]byte(address))
		key := "address:" + hex.EncodeToString(sum[:16])
		who, most[key] = append(who, key), guessesOfAddress
	}
	return who, most
}

// mayGuess refuses a code from whom too many wrong ones came just now: a right one too, or the refusal would tell. Error: ErrGuesses.
func (s *Service) mayGuess(ctx context.Context, c PlaceOrder) error {
	who, most := c.guessers(ctx)
	if c.Voucher == "" || len(who) == 0 {
		return nil
	}
	return s.db.View(postgres.WithActor(ctx, "system"), "guesses", func(ctx context.Context, tx *postgres.Tx) error {
		var tried []struct {
			Who   string    `db:"who"`
			N     int       `db:"n"`
			First time.Time `db:"first"`
		}
		if err := tx.Select(ctx, &tried, q.Q("Guesses"), pq.Array(who), tx.Now().Add(-guessesWithin)); err != nil {
			return err
		}
		for _, t := range tried {
			if t.N >= most[t.Who] {
				return ErrGuesses.After(int(t.First.Add(guessesWithin).Sub(tx.Now())/time.Second) + 1)
			}
		}
		return nil
	})
}

// guessed counts a wrong code.
func (s *Service) guessed(ctx context.Context, c PlaceOrder) error {
	who, _ := c.guessers(ctx)
	if len(who) == 0 {
		return nil
	}
	return s.db.InTx(postgres.WithActor(ctx, "system"), "wrong code", func(ctx context.Context, tx *postgres.Tx) error {
		_, err := tx.Exec(ctx, q.Q("AddGuess"), pq.Array(who), tx.Now(), tx.Now().Add(-guessesWithin))
		return err
	})
}
