package simulate

import (
	"bufio"
	"errors"
	"fmt"
	"strconv"
	"strings"

	lua "github.com/yuin/gopher-lua"
	"github.com/yuin/gopher-lua/parse"
)

// interpreter runs the scripts themselves, as Redis does: its numbers are
// doubles, too.
type interpreter struct {
	state    *lua.LState
	compiled map[string]*lua.FunctionProto
	data     *data // of the server whose script runs
}

func newInterpreter() *interpreter {
	in := &interpreter{state: lua.NewState(), compiled: map[string]*lua.FunctionProto{}}
	table := in.state.NewTable()
	table.RawSetString("call", in.state.NewFunction(in.call))
	table.RawSetString("pcall", in.state.NewFunction(in.pcall))
	// Everybody may do everything here.
	table.RawSetString("acl_check_cmd", in.state.NewFunction(func(l *lua.LState) int {
		l.Push(lua.LTrue)
		return 1
	}))
	in.state.SetGlobal("redis", table)
	if library, ok := in.state.GetGlobal("string").(*lua.LTable); ok {
		quicker(in.state, library, "match", match)
		quicker(in.state, library, "format", format)
	}
	return in
}

// run runs a script on a server's data. A script that fails leaves what it did.
func (in *interpreter) run(d *data, script string, keys, args []string) (any, error) {
	proto := in.compiled[script]
	if proto == nil {
		chunk, err := parse.Parse(bufio.NewReader(strings.NewReader(script)), "script")
		if err != nil {
			return nil, fmt.Errorf("ERR compiling script: %w", err)
		}
		if proto, err = lua.Compile(chunk, "script"); err != nil {
			return nil, fmt.Errorf("ERR compiling script: %w", err)
		}
		in.compiled[script] = proto
	}
	in.data = d
	in.state.SetGlobal("KEYS", in.list(keys))
	in.state.SetGlobal("ARGV", in.list(args))
	in.state.Push(in.state.NewFunctionFromProto(proto))
	if err := in.state.PCall(0, 1, nil); err != nil {
		return nil, fmt.Errorf("ERR script: %w", err)
	}
	v := in.state.Get(-1)
	in.state.Pop(1)
	return reply(v)
}

func (in *interpreter) list(texts []string) *lua.LTable {
	t := in.state.CreateTable(len(texts), 0)
	for i, s := range texts {
		t.RawSetInt(i+1, lua.LString(s))
	}
	return t
}

// call is redis.call.
func (in *interpreter) call(l *lua.LState) int {
	v, err := in.data.command(in.arguments(l))
	if err != nil {
		l.RaiseError("%s", err.Error())
	}
	l.Push(in.value(v))
	return 1
}

// pcall is redis.pcall: an error is a table that says it.
func (in *interpreter) pcall(l *lua.LState) int {
	v, err := in.data.command(in.arguments(l))
	if err != nil {
		t := in.state.CreateTable(0, 1)
		t.RawSetString("err", lua.LString(err.Error()))
		l.Push(t)
		return 1
	}
	l.Push(in.value(v))
	return 1
}

// arguments of a command.
func (in *interpreter) arguments(l *lua.LState) []string {
	args := make([]string, l.GetTop())
	for i := range args {
		switch v := l.Get(i + 1).(type) {
		case lua.LString:
			args[i] = string(v)
		case lua.LNumber:
			args[i] = strconv.FormatFloat(float64(v), 'g', 17, 64)
		default:
			l.RaiseError("Lua redis lib command arguments must be strings or integers")
		}
	}
	return args
}

// value is a reply as a script sees it: nil is false.
func (in *interpreter) value(v any) lua.LValue {
	switch v := v.(type) {
	case int64:
		return lua.LNumber(v)
	case string:
		return lua.LString(v)
	case []any:
		t := in.state.CreateTable(len(v), 0)
		for i, e := range v {
			t.RawSetInt(i+1, in.value(e))
		}
		return t
	}
	return lua.LFalse
}

// reply is what a script returns as a client sees it: numbers lose their
// fraction, a table ends at its first nil.
func reply(v lua.LValue) (any, error) {
	switch v := v.(type) {
	case lua.LNumber:
		return int64(v), nil
	case lua.LString:
		return string(v), nil
	case lua.LBool:
		if v {
			return int64(1), nil
		}
		return nil, nil
	case *lua.LTable:
		var list []any
		for i := 1; ; i++ {
			e := v.RawGetInt(i)
			if e == lua.LNil {
				return list, nil
			}
			r, err := reply(e)
			if err != nil {
				return nil, err
			}
			list = append(list, r)
		}
	case *lua.LNilType:
		return nil, nil
	}
	return nil, errors.New("ERR a script returned what is no reply")
}
