package mail

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"net/url"
	"os"
	"path/filepath"
)

// Spool keeps mails in a folder instead of sending them: what the demo does, and says.
type Spool struct {
	writer
	folder string
}

func newSpool(u *url.URL, w writer) (Sender, error) {
	if u.Host != "" || !filepath.IsAbs(u.Path) {
		return nil, ErrAddress.Detailf("The folder of mails is written as file:///an/absolute/folder.")
	}
	if err := os.MkdirAll(u.Path, 0o700); err != nil {
		return nil, ErrAddress.Because(err)
	}
	return &Spool{writer: w, folder: u.Path}, nil
}

// Folder is where the mails are.
func (s *Spool) Folder() string { return s.folder }

// Send keeps a mail as an .eml file, named by its MessageID: the same mail again replaces itself.
func (s *Spool) Send(_ context.Context, m Message) (err error) {
	mail, err := s.write(m)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(s.folder, ".mail-*")
	if err != nil {
		return ErrLater.Because(err)
	}
	_, err = mail.WriteTo(f)
	if closed := f.Close(); err == nil {
		err = closed
	}
	// The name is a hash, because a MessageID may hold what a folder does not.
	name := sha256.Sum256([]byte(m.MessageID))
	if err == nil {
		err = os.Rename(f.Name(), filepath.Join(s.folder, hex.EncodeToString(name[:8])+".eml"))
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return ErrLater.Because(err)
	}
	return nil
}
