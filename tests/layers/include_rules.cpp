#include "tests/layers/include_rules.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <string_view>

namespace pqd::layers {
namespace {

// What sources of a house may include of ours. tests/ may include everything.
struct Arrow {
  std::string_view from;
  std::string_view to;
};
constexpr std::array kArrows = std::to_array<Arrow>({
    {"core", "core"},
    {"shm", "core"},
    {"shm", "shm"},
    {"daemon", "core"},
    {"daemon", "shm"},
    {"daemon", "daemon"},
    {"bindings", "core"},
    {"bindings", "shm"},
    {"bindings", "bindings"},
    {"tools", "core"},
    {"tools", "shm"},
    {"tools", "daemon"},
    {"tools", "bindings"},
    {"tools", "tools"},
});
constexpr std::array<std::string_view, 6> kHouses{"core", "shm", "daemon", "bindings", "tools", "tests"};

// Libraries that a single room knows, so that they can be replaced there.
struct Tenant {
  std::string_view header;  // how its headers begin
  std::string_view room;
};
constexpr std::array kTenants = std::to_array<Tenant>({
    {"liburing", "daemon/loop"},
    {"linux/io_uring", "daemon/loop"},
    {"rocksdb/", "daemon/store"},
    {"boost/interprocess/", "shm"},
    {"toml++/", "daemon/config"},
    {"CLI/", "tools/pqctl"},
    {"CLI/", "daemon/supervisor"},
});

// The domain decides without clock, thread or I/O.
constexpr std::array<std::string_view, 31> kNotInCore{
    "atomic",      "barrier",      "chrono",      "condition_variable",
    "csignal",     "ctime",        "dirent.h",    "errno.h",
    "fcntl.h",     "filesystem",   "fstream",     "future",
    "iostream",    "latch",        "mutex",       "poll.h",
    "pthread.h",   "random",       "sched.h",     "semaphore",
    "semaphore.h", "shared_mutex", "signal.h",    "spawn.h",
    "stop_token",  "thread",       "threads.h",   "time.h",
    "unistd.h",    "syslog.h",     "stdatomic.h",
};
constexpr std::array<std::string_view, 8> kFamiliesNotInCore{"sys/",     "linux/", "asm/",    "net/",
                                                             "netinet/", "arpa/",  "spdlog/", "boost/asio"};

struct Include {
  std::string_view header;
  bool quoted = false;
};

std::string_view trimmed(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  return first == std::string_view::npos ? std::string_view() : text.substr(first);
}

std::optional<Include> parse_include(std::string_view line) {
  line = trimmed(line);
  if (!line.starts_with('#')) return std::nullopt;
  line = trimmed(line.substr(1));
  if (!line.starts_with("include")) return std::nullopt;
  line = trimmed(line.substr(7));
  if (line.empty() || (line[0] != '"' && line[0] != '<')) return std::nullopt;
  const bool quoted = line[0] == '"';
  const size_t end = line.find(quoted ? '"' : '>', 1);
  return end == std::string_view::npos ? std::nullopt
                                       : std::optional(Include{line.substr(1, end - 1), quoted});
}

template <size_t N>
bool contains(const std::array<std::string_view, N>& words, std::string_view word) {
  return std::ranges::find(words, word) != words.end();
}

std::string_view first_folder(std::string_view path) {
  const size_t slash = path.find('/');
  return slash == std::string_view::npos ? std::string_view() : path.substr(0, slash);
}

// A room includes its sub-folders.
bool within(std::string_view folder, std::string_view room) {
  return folder == room || (folder.starts_with(room) && folder.substr(room.size()).starts_with('/'));
}

bool arrow_allowed(std::string_view from, std::string_view to) {
  return from == "tests" || std::ranges::any_of(kArrows, [&](const Arrow& arrow) {
           return arrow.from == from && arrow.to == to;
         });
}

std::string fault_of_library(std::string_view folder, std::string_view header) {
  bool known = false;
  std::string rooms;
  for (const Tenant& tenant : kTenants) {
    if (!header.starts_with(tenant.header)) continue;
    if (within(folder, tenant.room)) return {};
    known = true;
    rooms += (rooms.empty() ? "" : " and ") + std::string(tenant.room);
  }
  if (known) return "<" + std::string(header) + "> belongs to " + rooms + " alone";
  if (!within(folder, "core")) return {};
  const bool family =
      std::ranges::any_of(kFamiliesNotInCore, [&](auto start) { return header.starts_with(start); });
  if (!family && !contains(kNotInCore, header)) return {};
  return "core has no system calls, clock, threads or I/O, but includes <" + std::string(header) + ">";
}

std::string fault_of(const SourceFile& file, const Include& include) {
  const std::string_view house = first_folder(file.path);
  const std::string_view other = first_folder(include.header);
  if (contains(kHouses, other)) {
    if (arrow_allowed(house, other)) return {};
    return std::string(house) + " may not include " + std::string(include.header);
  }
  if (include.quoted)
    return "\"" + std::string(include.header) + "\" does not begin with a folder of the project";
  return house == "tests" ? std::string() : fault_of_library(file.folder, include.header);
}

}  // namespace

std::vector<Fault> check_includes(const std::vector<SourceFile>& files) {
  std::vector<Fault> faults;
  for (const SourceFile& file : files) {
    if (!file.is_cpp() || !contains(kHouses, first_folder(file.path))) continue;
    for (size_t i = 0; i < file.lines.size(); ++i) {
      const auto include = parse_include(file.lines[i]);
      if (!include) continue;
      std::string text = fault_of(file, *include);
      if (!text.empty()) faults.push_back({file.path, i + 1, std::move(text)});
    }
  }
  return faults;
}

std::vector<Fault> check_readmes(const std::vector<SourceFile>& files) {
  std::set<std::string> paths;
  std::set<std::string> folders;
  for (const SourceFile& file : files) {
    paths.insert(file.path);
    if (file.is_cpp() && first_folder(file.path) != "tests") folders.insert(file.folder);
  }
  std::vector<Fault> faults;
  for (const std::string& folder : folders) {
    if (!paths.contains(folder + "/README.md")) faults.push_back({folder, 0, "has sources but no README.md"});
  }
  return faults;
}

}  // namespace pqd::layers
