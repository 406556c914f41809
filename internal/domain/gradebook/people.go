package gradebook

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"maps"
	"slices"
	"strings"

	"cursus/internal/domain/identity"
	"cursus/internal/platform/postgres"
)

// learner is how an intake calls somebody. One of the first three is there.
type learner struct {
	id       string // of the platform
	any      string // an id, a username or an address
	username string
	email    string
	name     string
}

func (r Row) learner() learner {
	l := learner{id: r.Subject, any: r.Key, email: r.Email, name: r.Username}
	if r.Key == "" { // in a plain form it is a name
		l.username = r.Username
	}
	return l
}

func sourceOf(platform, way string) string { return platform + "#" + way }

// mailKey is an address as it is kept: nobody reads it, and the same address is found again.
func mailKey(platform, address string) string {
	address, err := identity.NormalEmail(address)
	if err != nil {
		return ""
	}
	sum := sha256.Sum256([]byte(platform + "\n" + address))
	return "sha256:" + hex.EncodeToString(sum[:])
}

// people finds who is meant by keys of a platform, and makes whom nobody knows.
type people struct {
	tx       *postgres.Tx
	platform string
}

// by gives who is known by keys of a way; "" is the platform's own ids.
func (p people) by(ctx context.Context, way string, keys []string) (map[string]string, error) {
	keys = slices.DeleteFunc(keys, func(k string) bool { return k == "" })
	if len(keys) == 0 {
		return map[string]string{}, nil
	}
	source := p.platform
	if way != "" {
		source = sourceOf(p.platform, way)
	}
	return identity.KnownPeopleTx(ctx, p.tx, source, keys)
}

// find gives the person behind each learner, "" where she is not known. An id says surely who is meant; where a key is of no kind that is said,
// an id goes before a username, that before an address, and that before the ids of other systems.
func (p people) find(ctx context.Context, all []learner) ([]string, error) {
	out := make([]string, len(all))
	look := func(way string, key func(l learner) string) error {
		var keys []string
		for i, l := range all {
			if k := key(l); out[i] == "" && k != "" {
				keys = append(keys, k)
			}
		}
		found, err := p.by(ctx, way, keys)
		for i, l := range all {
			if out[i] == "" {
				out[i] = found[key(l)]
			}
		}
		return err
	}
	loose := func(l learner) string { // what is said where no id is
		switch {
		case l.id != "":
			return ""
		case l.any != "":
			return l.any
		}
		return l.username
	}
	err := look("", func(l learner) string {
		if l.id != "" {
			return l.id
		}
		return loose(l)
	})
	for _, way := range []string{byUsername, byMail, byExternal, byAnonymous} {
		if err == nil {
			err = look(way, func(l learner) string {
				if way == byMail {
					if k := loose(l); strings.Contains(k, "@") {
						return mailKey(p.platform, k)
					}
					return ""
				}
				return loose(l)
			})
		}
	}
	return out, err
}

// meet finds the people behind learners and makes those whom nobody knows. Who was known by a name or an address alone gets the id that comes
// with it now; whoever has an id already is somebody else than another id.
func (p people) meet(ctx context.Context, all []learner) ([]string, error) {
	out, err := p.find(ctx, all)
	if err != nil {
		return nil, err
	}
	if err := p.promote(ctx, all, out); err != nil {
		return nil, err
	}
	mails, ids, names := map[string]identity.ExternalPerson{}, map[string]identity.ExternalPerson{}, map[string]identity.ExternalPerson{}
	for i, l := range all {
		if out[i] != "" {
			continue
		}
		switch {
		case l.id != "":
			ids[l.id] = identity.ExternalPerson{Subject: l.id, FullName: l.name, Email: l.email}
		case l.any == "":
			names[l.username] = identity.ExternalPerson{Subject: l.username, FullName: l.username, Email: l.email}
		case mailKey(p.platform, l.any) != "":
			local, _, _ := strings.Cut(l.any, "@")
			key := mailKey(p.platform, l.any)
			mails[key] = identity.ExternalPerson{Subject: key, FullName: cmp.Or(l.name, local), Email: l.any}
		default:
			ids[l.any] = identity.ExternalPerson{Subject: l.any, FullName: cmp.Or(l.name, l.any)}
		}
	}
	for _, fresh := range []struct { // always in this order: two imports that meet the same people wait for each other
		source string
		people map[string]identity.ExternalPerson
	}{{p.platform, ids}, {sourceOf(p.platform, byMail), mails}, {sourceOf(p.platform, byUsername), names}} {
		if len(fresh.people) == 0 {
			continue
		}
		var in []identity.ExternalPerson
		for _, k := range slices.Sorted(maps.Keys(fresh.people)) {
			in = append(in, fresh.people[k])
		}
		if _, err := identity.ImportPeopleTx(ctx, p.tx, fresh.source, in); err != nil {
			return nil, err
		}
	}
	if len(ids)+len(mails)+len(names) > 0 {
		if out, err = p.find(ctx, all); err != nil {
			return nil, err
		}
	}
	return out, p.note(ctx, all, out)
}

// promote gives an id to who has been known by her username or address alone.
func (p people) promote(ctx context.Context, all []learner, out []string) error {
	var names, mails []string
	for i, l := range all {
		if out[i] == "" && l.id != "" {
			names = append(names, l.username)
			if l.email != "" {
				mails = append(mails, mailKey(p.platform, l.email))
			}
		}
	}
	if len(names) == 0 {
		return nil
	}
	candidates, err := p.by(ctx, byUsername, slices.Clone(names))
	if err != nil {
		return err
	}
	asID, err := p.by(ctx, "", names) // a form called her so
	if err != nil {
		return err
	}
	byAddress, err := p.by(ctx, byMail, mails)
	if err != nil {
		return err
	}
	who := map[int]string{}
	var persons []string
	for i, l := range all {
		if out[i] != "" || l.id == "" {
			continue
		}
		person := cmp.Or(candidates[l.username], asID[l.username])
		if person == "" && l.email != "" {
			person = byAddress[mailKey(p.platform, l.email)]
		}
		if person != "" {
			who[i], persons = person, append(persons, person)
		}
	}
	if len(who) == 0 {
		return nil
	}
	subjects, err := identity.SubjectsTx(ctx, p.tx, p.platform, persons)
	if err != nil {
		return err
	}
	given, taken := map[string]string{}, map[string]bool{}
	for _, i := range slices.Sorted(maps.Keys(who)) {
		l, person := all[i], who[i]
		others := slices.DeleteFunc(slices.Clone(subjects[person]), func(s string) bool { return s == l.username || s == l.email })
		if len(others) == 0 && !taken[person] {
			given[l.id], out[i], taken[person] = person, person, true
		}
	}
	return identity.AddSubjectsTx(ctx, p.tx, p.platform, given)
}

// note keeps by which names and addresses a platform calls whom it gave an id.
func (p people) note(ctx context.Context, all []learner, out []string) error {
	names, mails := map[string]string{}, map[string]string{}
	for i, l := range all {
		if l.id == "" {
			continue
		}
		if l.username != "" {
			names[l.username] = out[i]
		}
		if l.email != "" {
			if k := mailKey(p.platform, l.email); k != "" {
				mails[k] = out[i]
			}
		}
	}
	if err := p.keep(ctx, byUsername, names); err != nil {
		return err
	}
	return p.keep(ctx, byMail, mails)
}

// keep writes down the keys that are new.
func (p people) keep(ctx context.Context, way string, keys map[string]string) error {
	known, err := p.by(ctx, way, slices.Collect(maps.Keys(keys)))
	if err != nil {
		return err
	}
	maps.DeleteFunc(keys, func(k, _ string) bool { return known[k] != "" || len(k) > 255 })
	return identity.AddSubjectsTx(ctx, p.tx, sourceOf(p.platform, way), keys)
}

// alias keeps other keys of learners with ids.
func (p people) alias(ctx context.Context, all []Alias) error {
	ids := make([]learner, len(all))
	for i, a := range all {
		ids[i] = learner{id: a.Subject}
	}
	who, err := p.meet(ctx, ids)
	if err != nil {
		return err
	}
	byWay := map[string]map[string]string{}
	for i, a := range all {
		if byWay[a.Way] == nil {
			byWay[a.Way] = map[string]string{}
		}
		byWay[a.Way][a.Key] = who[i]
	}
	for _, way := range slices.Sorted(maps.Keys(byWay)) {
		if err := p.keep(ctx, way, byWay[way]); err != nil {
			return err
		}
	}
	return nil
}
