#include "tests/support/process.h"

#include <algorithm>
#include <filesystem>
#include <sstream>
#include <string>

#include "tests/support/eventually.h"
#include "tests/support/temp_dir.h"

namespace pqd::test {
namespace {

std::string directory_of(pid_t pid) { return "/proc/" + std::to_string(pid); }

// R, S, D, Z, T ...; 0 when there is no such thread. The name before it may hold anything but is in brackets.
char state_in(const std::string& stat) {
  const size_t bracket = stat.rfind(')');
  return bracket == std::string::npos || bracket + 2 >= stat.size() ? '\0' : stat[bracket + 2];
}

bool all_stopped(pid_t pid) {
  std::error_code gone;
  size_t threads = 0;
  for (const auto& task : std::filesystem::directory_iterator(directory_of(pid) + "/task", gone)) {
    if (state_in(read_file(task.path() / "stat")) != 'T') return false;
    ++threads;
  }
  return threads != 0;
}

}  // namespace

pid_t child_named(pid_t parent, std::string_view name) {
  const std::string path = directory_of(parent) + "/task/" + std::to_string(parent) + "/children";
  std::istringstream children(read_file(path));
  for (pid_t child = 0; children >> child;) {
    if (read_file(directory_of(child) + "/comm") == std::string(name) + "\n") return child;
  }
  return 0;
}

bool is_alive(pid_t pid) {
  const char state = state_in(read_file(directory_of(pid) + "/stat"));
  return state != '\0' && state != 'Z' && state != 'X';
}

bool becomes_stopped(pid_t pid) {
  bool stopped = false;
  eventually([&] { return (stopped = all_stopped(pid)) || !is_alive(pid); });
  return stopped;
}

size_t open_descriptors() {
  // The iteration has one open itself.
  const std::filesystem::directory_iterator files("/proc/self/fd");
  return static_cast<size_t>(std::distance(begin(files), end(files))) - 1;
}

size_t mappings() {
  const std::string maps = read_file("/proc/self/maps");
  return static_cast<size_t>(std::count(maps.begin(), maps.end(), '\n'));
}

}  // namespace pqd::test
