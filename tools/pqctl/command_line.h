// The command line: its grammar, its help, and which command it chose. CLI11 stays inside.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "tools/pqctl/commands.h"

namespace pqd::ctl {

struct Invocation {
  Context::Settings settings{};
  std::function<int(Context&)> run;
};

// Without the program's name. Help is an invocation that prints it; what is wrong is a complaint with 64.
Checked<Invocation> parse_command_line(std::vector<std::string> arguments);

// The script that completes pqctl's command lines. 64: not for this shell.
Checked<std::string> completion_script(const std::string& shell);

}  // namespace pqd::ctl
