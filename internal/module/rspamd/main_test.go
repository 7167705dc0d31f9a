package rspamd

import (
	"os"
	"testing"

	"github.com/tollgate-mail/tollgate/test/harness"
)

// box and daemon are of the whole run.
var (
	box    *harness.Sandbox
	daemon *harness.Rspamd
)

// rules of the shared daemon: one symbol that tells what rspamd understood of
// the envelope, and changes to the header in all shapes that Lua can give them.
const rules = `
rspamd_config:register_symbol({
  name = 'TEST_ENVELOPE', score = 0.125,
  callback = function(task)
    local from = task:get_from('smtp') or {{}}
    local rcpt = {}
    for _, r in ipairs(task:get_recipients('smtp') or {}) do rcpt[#rcpt + 1] = r.addr end
    local told = {
      ip = tostring(task:get_ip()), hostname = tostring(task:get_hostname()), helo = tostring(task:get_helo()),
      user = tostring(task:get_user()), id = tostring(task:get_queue_id()),
      from = tostring(from[1] and from[1].addr), rcpt = table.concat(rcpt, ' '), rcpts = #rcpt,
      tls = tostring(task:get_request_header('TLS-Version')), mta = tostring(task:get_request_header('MTA-Name')),
      size = tostring(task:get_size()), subject = tostring(task:get_subject()),
    }
    local head = {}
    for name, value in pairs(told) do head['X-Told-' .. name] = tostring(value) end
    task:set_milter_reply({add_headers = head})
    return true
  end,
})
rspamd_config:register_symbol({
  name = 'TEST_HEADER', score = -0.5,
  callback = function(task)
    if task:get_subject() ~= 'header, please' then return false end
    task:set_milter_reply({
      add_headers = {
        ['X-Text'] = 'plain', ['X-Object'] = {value = 'object', order = 0},
        ['X-Objects'] = {{value = 'first', order = 1}, {value = 'second'}}, ['X-Texts'] = {'one', 'two'},
        ['X-Folded'] = 'long;\n\tfolded\r\n  third', ['X-Number'] = 5.5, ['X-Hostile'] = 'a\r\n\r\nbody\0\nX-Mine: x',
      },
      remove_headers = {['X-All'] = 0, ['X-Some'] = {1, 2}, ['X-Last'] = -1},
    })
    return true
  end,
})
`

func TestMain(m *testing.M) {
	os.Exit(harness.Run(m, func(s *harness.Sandbox) (err error) {
		box = s
		daemon, err = s.Rspamd(harness.RspamdConfig{Rules: rules})
		return err
	}))
}
