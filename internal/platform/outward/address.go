package outward

import (
	"net/netip"
	"net/url"
	"regexp"
	"strconv"
	"strings"
)

// Of the addresses of version 4 everything is public that is not here; see the registry of special-purpose addresses (RFC 6890 and after).
// Some clouds answer about a machine's secrets at an address of their own.
var special4 = prefixes(
	"0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24",
	"192.31.196.0/24", "192.52.193.0/24", "192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24",
	"224.0.0.0/4", "240.0.0.0/4", "168.63.129.16/32",
)

// Of version 6 nothing is public but global unicast, and of that not what is here: these carry an address of version 4 within, or are
// for documentation, benchmarks and overlays.
var (
	global6  = netip.MustParsePrefix("2000::/3")
	special6 = prefixes("2001::/23", "2001:db8::/32", "2002::/16", "2620:4f:8000::/48", "3fff::/20")
)

func prefixes(all ...string) (out []netip.Prefix) {
	for _, p := range all {
		out = append(out, netip.MustParsePrefix(p))
	}
	return out
}

// inside says whether an address is anything but a public server's.
func inside(a netip.Addr) bool {
	if !a.IsValid() || a.Zone() != "" {
		return true
	}
	a = a.Unmap()
	special := special4
	if a.Is6() {
		if !global6.Contains(a) || isatap(a) {
			return true
		}
		special = special6
	}
	for _, p := range special {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// isatap says whether the lower half of an address is made of one of version 4 (RFC 5214): a router of ours may send it there.
func isatap(a netip.Addr) bool {
	b := a.As16()
	return (b[8] == 0 || b[8] == 2) && b[9] == 0 && b[10] == 0x5e && b[11] == 0xfe
}

// A name has a dot, so that no search list completes it, and its last label begins with a letter, so that no resolver takes it for an
// address (127.1, 0x7f.1).
var name = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]([a-z0-9-]{0,61}[a-z0-9])?$`)

// insideNames are what only an inside resolver knows.
var insideNames = []string{
	"localhost", "local", "localdomain", "internal", "intranet", "private", "corp", "home", "lan", "arpa", "test", "example", "invalid", "onion", "alt", "svc", "cluster", "docker", "kubernetes", "consul",
}

// maxURL is the longest address.
const maxURL = 500

// Read reads an address; false where it is not that of a public server, as far as its text tells, nor one that the operator named. Whom
// a name stands for is judged when it is dialled.
func (g *Guard) Read(address string) (*url.URL, bool) {
	if len(address) > maxURL || strings.ContainsFunc(address, func(r rune) bool { return r <= ' ' || r >= 0x7f || r == '\\' }) {
		return nil, false
	}
	u, err := url.Parse(address)
	if err != nil || u.Opaque != "" || u.User != nil || u.Fragment != "" || strings.Contains(address, "#") || u.Host == "" {
		return nil, false
	}
	if u.Scheme == "http" || u.Scheme == "https" {
		if at, err := netip.ParseAddrPort(u.Host); err == nil && g.named[at] || g.hosts[strings.ToLower(u.Host)] {
			return u, true
		}
	}
	if u.Scheme != "https" || !g.portAllowed(u) || !public(strings.ToLower(u.Hostname())) {
		return nil, false
	}
	return u, true
}

func (g *Guard) portAllowed(u *url.URL) bool {
	if u.Port() == "" {
		return !strings.HasSuffix(u.Host, ":")
	}
	n, err := strconv.ParseUint(u.Port(), 10, 16)
	return err == nil && strconv.FormatUint(n, 10) == u.Port() && g.ports[uint16(n)]
}

// public says whether a host may be one that everybody can reach.
func public(host string) bool {
	if a, err := netip.ParseAddr(host); err == nil {
		return !a.Is4In6() && !inside(a)
	}
	if len(host) > 253 || !name.MatchString(host) {
		return false
	}
	for _, n := range insideNames {
		if strings.HasSuffix(host, "."+n) {
			return false
		}
	}
	return true
}
