// pqd-demo: the demonstration, and the producers and consumers that it starts as copies of itself.
#include <csignal>
#include <cstdio>
#include <filesystem>

#include "tools/demo/command_line.h"
#include "tools/demo/consumer.h"
#include "tools/demo/demonstration.h"

namespace pqd::demo {
namespace {

constexpr int kExitUsage = 64;

int demonstrate(const DemoOptions& options) {
  if (options.help) {
    std::fwrite(help_text().data(), 1, help_text().size(), stdout);
    return 0;
  }
  std::error_code error;
  const std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  if (error) {
    std::fprintf(stderr, "pqd-demo: cannot find itself: %s; is /proc mounted?\n", error.message().c_str());
    return 1;
  }
  return Demonstration(options, self.parent_path().string()).run();
}

int run(const std::vector<std::string>& words) {
  const auto role = parse_command_line(words);
  if (!role) {
    std::fprintf(stderr, "pqd-demo: %s\n", role.error().c_str());
    return kExitUsage;
  }
  if (const auto* producer = std::get_if<ProducerOptions>(&*role)) return run_producer(*producer);
  if (const auto* consumer = std::get_if<ConsumerOptions>(&*role)) return run_consumer(consumer->socket);
  return demonstrate(std::get<DemoOptions>(*role));
}

}  // namespace
}  // namespace pqd::demo

int main(int argc, char** argv) {
  // A reader that has gone is an error value, not a death.
  std::signal(SIGPIPE, SIG_IGN);
  return pqd::demo::run({argv + 1, argv + argc});
}
