package journal

import (
	"path/filepath"
	"time"
)

// KindStatus is how one journal fares.
type KindStatus struct {
	Kind       string    `json:"kind"`
	Lines      int64     `json:"lines"`       // written since the start
	Lost       int64     `json:"lost"`        // could not be written for too long
	Waiting    int       `json:"waiting"`     // bytes gathered and not yet written
	LastError  string    `json:"last_error"`  // of the last write; "" when it went well
	ErrorSince time.Time `json:"error_since"` // zero when it went well
}

// Status is how the journals fare.
type Status struct {
	Dir           string       `json:"dir"`
	Kinds         []KindStatus `json:"kinds"`
	SyslogDropped int64        `json:"syslog_dropped"` // lines the syslog daemon did not take
}

// Status now.
func (j *Journal) Status() Status {
	j.moving.Lock()
	s := Status{Dir: j.dir}
	j.moving.Unlock()
	for _, w := range j.writers {
		k := w.file.state()
		if k.Kind = w.name; w.gathered != nil {
			k.Waiting = w.gathered.waiting()
		}
		s.Kinds = append(s.Kinds, k)
	}
	if l := j.syslog.Load(); l != nil {
		s.SyslogDropped = l.dropped.Load()
	}
	return s
}

// Path is the file of a kind.
func (j *Journal) Path(kind string) string {
	j.moving.Lock()
	defer j.moving.Unlock()
	return filepath.Join(j.dir, fileName(kind))
}
