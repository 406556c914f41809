package api

import (
	"bytes"
	row "container/list"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"

	"cursus/internal/kernel/clock"
)

// What is kept lives this long at most, whatever is or is not heard of changes; and this much of it is kept.
const (
	keepMost      = 3 * time.Second
	keepMostBytes = 32 << 20
)

// Cache keeps encoded answers of the operations that the contract marks with x-cache: public, by the address that was asked for,
// so that a read that is kept asks nothing of the rooms. It works only while somebody hears of changes (Hears, Drop); an answer is
// also dropped when the passing of time changes it, and after a few seconds in any case.
type Cache struct {
	clock clock.Clock
	// next gives the first instant after another at which answers change by themselves; nil: there is none.
	next func(ctx context.Context, after time.Time) (*time.Time, error)
	most int

	mu         sync.Mutex
	hears      bool
	generation uint64 // counts the drops: what was read in an earlier one is not kept
	bytes      int
	entries    map[string]*row.Element // of *kept
	used       row.List                // the one used last is in front
	since, due time.Time               // in [since, due) no answer changes by itself; due is zero where since is not known
}

// kept is an answer. Its bytes are never written to.
type kept struct {
	address   string
	operation *operation
	body      []byte
	tag       string
	until     time.Time
}

// NewCache makes a cache that keeps nothing until it is told that changes are heard of.
func NewCache(c clock.Clock, next func(ctx context.Context, after time.Time) (*time.Time, error)) *Cache {
	return &Cache{clock: c, next: next, most: keepMostBytes, entries: map[string]*row.Element{}}
}

// Drop forgets everything, what is being read now too.
func (k *Cache) Drop() {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.generation++
	k.bytes, k.since, k.due = 0, time.Time{}, time.Time{}
	clear(k.entries)
	k.used.Init()
}

// Hears says whether every change is heard of from now on.
func (k *Cache) Hears(does bool) {
	k.mu.Lock()
	k.hears = does
	k.mu.Unlock()
	k.Drop()
}

// Size tells how many answers are kept, and their bytes.
func (k *Cache) Size() (answers, bytes int) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.entries), k.bytes
}

// find gives the answer to an address, if it is kept and still true.
func (k *Cache) find(address []byte) *kept {
	if k == nil {
		return nil
	}
	now := k.clock.Now()
	k.mu.Lock()
	defer k.mu.Unlock()
	e := k.entries[string(address)]
	if e == nil || !k.hears {
		return nil
	}
	found := e.Value.(*kept)
	if !now.Before(found.until) {
		k.remove(e)
		return nil
	}
	k.used.MoveToFront(e)
	return found
}

func (k *Cache) remove(e *row.Element) {
	gone := k.used.Remove(e).(*kept)
	delete(k.entries, gone.address)
	k.bytes -= gone.size()
}

func (a *kept) size() int { return len(a.body) + len(a.address) + len(a.tag) + 200 }

// sighting is the moment before an answer is read.
type sighting struct {
	generation uint64
	at         time.Time
}

func (k *Cache) look() sighting {
	if k == nil {
		return sighting{}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	return sighting{k.generation, k.clock.Now()}
}

// keep keeps an answer that was read after a sighting, unless something has changed since. What cannot be kept is not.
func (k *Cache) keep(ctx context.Context, seen sighting, a *kept) {
	if k == nil || a.size() > k.most/4 {
		return
	}
	k.mu.Lock()
	wanted, due := k.hears && k.generation == seen.generation, k.due
	known := !due.IsZero() && !seen.at.Before(k.since) && seen.at.Before(due)
	k.mu.Unlock()
	if !wanted {
		return
	}
	if !known {
		at, err := k.next(ctx, seen.at)
		if err != nil {
			return
		}
		if due = seen.at.AddDate(1, 0, 0); at != nil {
			due = *at
		}
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if !k.hears || k.generation != seen.generation {
		return
	}
	if !known {
		k.since, k.due = seen.at, due
	}
	if a.until = seen.at.Add(keepMost); due.Before(a.until) {
		a.until = due
	}
	if old := k.entries[a.address]; old != nil {
		k.remove(old)
	}
	k.entries[a.address] = k.used.PushFront(a)
	for k.bytes += a.size(); k.bytes > k.most; {
		k.remove(k.used.Back())
	}
}

// fromCache answers what is kept, before anything else looks at the request.
func (a *API) fromCache(c *fiber.Ctx) error {
	method := c.Method()
	if a.cache == nil || method != fiber.MethodGet && method != fiber.MethodHead {
		return c.Next()
	}
	if n := c.Request().Header.ContentLength(); n > 0 || n == -1 { // such a request is refused
		return c.Next()
	}
	found := a.cache.find(c.Request().Header.RequestURI())
	if found == nil {
		return c.Next()
	}
	e := entry{began: a.clock.Now(), operation: found.operation.id, method: method, requestID: a.begin(c)}
	c.Locals(Pattern, found.operation.fiberPath())
	c.Response().Header.SetContentType(fiber.MIMEApplicationJSON)
	c.Response().SetBodyRaw(found.body)
	tagged(c, found.tag)
	e.status, e.bytesOut = c.Response().StatusCode(), len(c.Response().Body())
	a.note(c.UserContext(), e)
	return nil
}

// Pattern is the name of the local value in which an answer from the cache leaves the pattern of its route, for those who count.
const Pattern = "cursus-pattern"

// public ends an answer of an operation that is marked x-cache: public: it gets its tag and may be kept.
func (a *API) public(ctx context.Context, c *fiber.Ctx, o *operation, seen sighting) {
	body := bytes.Clone(c.Response().Body())
	tag := contentTag(string(c.Response().Header.Peek(fiber.HeaderETag)), body)
	a.cache.keep(ctx, seen, &kept{address: string(c.Request().Header.RequestURI()), operation: o, body: body, tag: tag})
	tagged(c, tag)
}

// contentTag makes a strong entity tag of the bytes, behind the version that the handler gave where it gave one: "7" becomes
// "7-…", and both are that version for If-Match.
func contentTag(version string, body []byte) string {
	sum := sha256.Sum256(body)
	tag := base64.RawURLEncoding.EncodeToString(sum[:12])
	if v := strings.Trim(version, `"`); v != "" {
		tag = v + "-" + tag
	}
	return `"` + tag + `"`
}

// tagged lets the reader keep the answer, if she asks each time whether it still stands; she who has it is told so (304).
func tagged(c *fiber.Ctx, tag string) {
	c.Set(fiber.HeaderETag, tag)
	c.Set(fiber.HeaderCacheControl, "public, no-cache")
	for _, given := range values(c, fiber.HeaderIfNoneMatch) {
		if holds(given, tag) {
			c.Response().ResetBody()
			c.Response().Header.Del(fiber.HeaderContentType)
			c.Response().Header.SetNoDefaultContentType(true)
			c.Status(fiber.StatusNotModified)
			return
		}
	}
}

// holds reads a value of If-None-Match: a list of tags, compared weakly (RFC 9110, 13.1.2), or * for any.
func holds(given, tag string) bool {
	for one := range strings.SplitSeq(given, ",") { // our own tags have no comma
		one = strings.TrimSpace(one)
		if one == "*" || strings.TrimPrefix(one, "W/") == tag {
			return true
		}
	}
	return false
}
