// pqctl: the command line to pqd.
#include <csignal>
#include <ctime>

#include "shm/standard_descriptors.h"
#include "tools/pqctl/command_line.h"

int main(int argc, char** argv) {
  pqd::keep_standard_descriptors();
  // Writing to whoever has left is an error value, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  ::tzset();
  auto invocation = pqd::ctl::parse_command_line({argv + 1, argv + argc});
  pqd::ctl::Context context(invocation ? invocation->settings : pqd::ctl::Context::Settings{});
  const int exit = invocation ? invocation->run(context) : context.fail(invocation.error());
  return context.finish(exit);
}
