#include "daemon/log/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <memory>

#include "daemon/log/journal_sink.h"

namespace pqd {

bool stderr_is_journal() {
  const char* const stream = std::getenv("JOURNAL_STREAM");
  struct stat status {};
  if (stream == nullptr || ::fstat(STDERR_FILENO, &status) != 0) return false;
  return stream == std::to_string(status.st_dev) + ":" + std::to_string(status.st_ino);
}

void open_log(const std::string& process, const std::string& level) {
  std::shared_ptr<spdlog::sinks::sink> sink;
  if (stderr_is_journal() && ::access(JournalSink::kSocket, W_OK) == 0) {
    sink = std::make_shared<JournalSink>();
    sink->set_pattern("%v");  // the journal keeps time, level and process by themselves
  } else {
    sink = std::make_shared<spdlog::sinks::stderr_sink_mt>();
    sink->set_pattern("%Y-%m-%d %H:%M:%S.%e %l %n: %v");
  }
  auto logger = std::make_shared<spdlog::logger>(process, std::move(sink));
  logger->set_level(spdlog::level::from_str(level));
  spdlog::set_default_logger(std::move(logger));
}

}  // namespace pqd
