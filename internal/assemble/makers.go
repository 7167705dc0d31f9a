package assemble

import (
	"fmt"

	"github.com/tollgate-mail/tollgate/internal/config"
	"github.com/tollgate-mail/tollgate/internal/module"
	"github.com/tollgate-mail/tollgate/internal/module/attachment"
	"github.com/tollgate-mail/tollgate/internal/module/clamav"
	"github.com/tollgate-mail/tollgate/internal/module/http"
	"github.com/tollgate-mail/tollgate/internal/module/rspamd"
	"github.com/tollgate-mail/tollgate/internal/module/spamassassin"
	"github.com/tollgate-mail/tollgate/internal/module/text"
)

// makeInspector makes an inspector of the settings of its package.
func makeInspector(i config.Inspector) (module.Inspector, error) {
	switch s := i.Settings.(type) {
	case attachment.Config:
		return attachment.New(s), nil
	case clamav.Config:
		return clamav.New(s)
	case http.Config:
		return http.New(s)
	case rspamd.Config:
		return rspamd.New(s)
	case spamassassin.Config:
		return spamassassin.New(s)
	case text.Settings:
		return text.New(s), nil
	}
	return nil, fmt.Errorf("nobody makes a module of type %q", i.Type)
}
