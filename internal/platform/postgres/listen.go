package postgres

import (
	"context"
	"sync"
	"time"

	"github.com/lib/pq"
)

// How long a lost connection of a listener is waited for before the next try, and how often one that is silent is asked whether
// it still lives.
const (
	listenAgainAfter = 100 * time.Millisecond
	listenAgainMost  = 5 * time.Second
	listenPing       = 5 * time.Second
)

// Listen hears a NOTIFY channel, on a connection of its own, until ctx ends. changed is called for each notification, and after
// each time at which one may have been missed. hears says whether, from now on, every notification arrives: it is told false when
// the connection is lost and true when it listens again, changed before. Both are called from one goroutine at a time and must
// not block.
func (db *DB) Listen(ctx context.Context, channel string, changed func(), hears func(bool)) {
	var mu sync.Mutex
	listening, lost := false, 0
	event := func(e pq.ListenerEventType, _ error) {
		mu.Lock()
		defer mu.Unlock()
		switch e {
		case pq.ListenerEventDisconnected:
			lost++
			hears(false)
			changed()
		case pq.ListenerEventReconnected: // LISTEN was said again before
			if listening {
				changed()
				hears(true)
			}
		case pq.ListenerEventConnected, pq.ListenerEventConnectionAttemptFailed:
		}
	}
	l := pq.NewListener(db.dsn+"&application_name=cursus-listener", listenAgainAfter, listenAgainMost, event)
	ended := make(chan struct{})
	defer close(ended)
	go func() { // Listen waits for a connection, and only the end of the listener wakes it
		select {
		case <-ctx.Done():
		case <-ended:
		}
		_ = l.Close()
	}()
	if err := l.Listen(channel); err != nil {
		return
	}
	for begun := false; !begun && ctx.Err() == nil; {
		mu.Lock()
		before := lost
		mu.Unlock()
		err := l.Ping()
		mu.Lock()
		if begun = err == nil && lost == before; begun {
			listening = true
			changed()
			hears(true)
		}
		mu.Unlock()
		if !begun {
			time.Sleep(listenAgainAfter)
		}
	}
	ping := time.NewTicker(listenPing)
	defer ping.Stop()
	for {
		select {
		case <-ctx.Done():
			mu.Lock()
			hears(false)
			mu.Unlock()
			return
		case <-l.NotificationChannel(): // nil after a reconnection
			mu.Lock()
			changed()
			mu.Unlock()
		case <-ping.C:
			go func() { _ = l.Ping() }() // a dead connection is found out by it, and reported as an event
		}
	}
}
