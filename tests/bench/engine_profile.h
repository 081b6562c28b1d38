// Where an engine's time goes: perf looks at it many times a second, and each look is put down to a part of
// the engine by the function that it finds. Where there is no perf, or this user may not use it, nothing is
// told.
#pragma once

#include <sys/types.h>

#include <map>
#include <memory>
#include <optional>
#include <string>

namespace pqd::test {
class Program;
}

namespace pqd::bench {

// "worker: broker" -> how many looks found it there.
using PartCounts = std::map<std::string, uint64_t>;

// Counts the lines of `perf script -F tid,ip,sym,dso`. A thread is called by what only it does.
PartCounts count_parts(const std::string& script);

class EngineProfile {
 public:
  // Begins to look at the process; ends with finish() or the object.
  explicit EngineProfile(pid_t engine);
  ~EngineProfile();
  EngineProfile(const EngineProfile&) = delete;
  EngineProfile& operator=(const EngineProfile&) = delete;

  // Empty: there is no perf, or it saw nothing.
  PartCounts finish();

 private:
  std::string directory_;
  std::unique_ptr<test::Program> perf_;
};

}  // namespace pqd::bench
