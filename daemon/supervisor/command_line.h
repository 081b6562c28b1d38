// The words after `pqd`, as a decision.
#pragma once

#include <expected>
#include <optional>
#include <string>

namespace pqd {

struct CommandLine {
  bool dev = false;
  std::string dir;     // with dev: kept; empty = a new one
  std::string config;  // empty = the system's, if there is one
  bool check_config = false;
};

// An exit status instead, when all is said: --help, --version, or a wrong use (which has been explained).
std::expected<CommandLine, int> parse_command_line(int argc, char** argv);

}  // namespace pqd
