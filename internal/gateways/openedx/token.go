package openedx

import (
	"context"
	"strconv"

	"cursus/internal/domain/lms"
	"cursus/internal/platform/outward"
)

func keyOf(a lms.Access) string { return a.Platform + "/" + strconv.Itoa(a.Version) }

// token gets the header for client credentials, or the one that was got.
func (g *Gate) token(ctx context.Context, a lms.Access) (string, error) {
	if header := g.tokens.Of(keyOf(a), g.clock.Now()); header != "" {
		return header, nil
	}
	r, err := outward.TokenRequest(ctx, a.BaseURL, a.ClientID, a.Secret)
	if err != nil {
		return "", &lms.Trouble{Code: "refused_address"}
	}
	answer, err := g.do(r)
	if err != nil {
		if t, ok := err.(*lms.Trouble); ok && (t.Code == lms.BadRequest || t.Code == lms.NotPermitted) { //nolint:errorlint // do gives it bare
			t.Code = lms.BadCredentials // unknown client, or not allowed this way
		}
		return "", err
	}
	header, ok := g.tokens.Granted(keyOf(a), g.clock.Now(), answer)
	if !ok {
		return "", broken(nil)
	}
	return header, nil
}
