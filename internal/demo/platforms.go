package demo

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"cursus/internal/domain/lms"
	"cursus/internal/domain/offers"
	"cursus/internal/gateways/openedxdouble"
	"cursus/internal/kernel/clock"
	"cursus/internal/platform/config"
)

// The demonstration's learning platforms stand behind one double of Open edX, below this path of the Stripe sandbox.
const (
	platformPath   = "/lms"
	platformClient = "cursus"
	perMinute      = 60_000 // the double is in no hurry, and the demonstration is
)

// absent is the one learner of the demonstration who has no account on her platform.
const absent = "ines.moreau@"

// OpenPlatform opens the demo's double of Open edX, with the book in its folder.
func OpenPlatform(c config.Config, t clock.Clock) (*openedxdouble.Double, error) {
	folder := filepath.Join(c.DataDir, "lms")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	return openedxdouble.Open(openedxdouble.Config{
		ClientID: platformClient, ClientSecret: c.StripeWebhookSecret, Worker: "cursus_worker", File: filepath.Join(folder, "book.jsonl"), Clock: t,
		Has: func(email string) bool {
			return strings.HasSuffix(email, ".example") && !strings.HasPrefix(email, absent)
		},
	})
}

// Beside serves the doubles of a learning platform, of a provider of labs and of one of proctoring below their paths, and everything else by the sandbox.
func Beside(platform, provider, proctor, sandbox http.Handler) http.Handler {
	mux := http.NewServeMux()
	mux.Handle(platformPath+"/", http.StripPrefix(platformPath, platform))
	mux.Handle(labsPath+"/", http.StripPrefix(labsPath, provider))
	mux.Handle(proctorPath+"/", http.StripPrefix(proctorPath, proctor))
	mux.Handle("/", sandbox)
	return mux
}

// platforms tells the house where its platforms are: beside the Stripe that it speaks to now.
func (m *maker) platforms(ctx context.Context, stripe string) error {
	for key, free := range map[string]string{"fun": "audit", "fun-campus": "honor"} {
		if _, err := m.h.LMS.Put(ctx, key, 0, lms.NewPlatform{
			BaseURL: stripe + platformPath, Auth: lms.OAuth2, ClientID: platformClient, Secret: m.h.Config.StripeWebhookSecret, PerMinute: perMinute,
			Modes: map[string]string{offers.Discovery: free, offers.Qualifying: "verified"},
		}); err != nil {
			return err
		}
	}
	return nil
}
