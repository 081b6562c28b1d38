#include "tests/bench/machine.h"

#include <sys/mman.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <atomic>
#include <boost/version.hpp>
#include <cstdlib>
#include <ctime>
#include <fstream>
#include <sstream>

#include "tests/bench/comparison.h"
#include "tests/bench/moment.h"
#include "tests/bench/sides.h"
#include "tests/support/program.h"
#include "tests/support/temp_dir.h"

namespace pqd::bench {
namespace {

std::string value_of_line(const std::string& path, const std::string& name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    const size_t at = line.find(": ");
    return at == std::string::npos ? "" : line.substr(at + 2);
  }
  return "";
}

// Of the mount that `path` lies on: "ext4 on /dev/vda (rw,relatime)".
std::string file_system_of(const std::string& path) {
  std::ifstream mounts("/proc/self/mounts");
  std::string best;
  size_t length = 0;
  for (std::string line; std::getline(mounts, line);) {
    std::istringstream words(line);
    std::string device, place, type, options;
    words >> device >> place >> type >> options;
    const bool below = path == place || path.starts_with(place == "/" ? place : place + "/");
    if (!below || place.size() < length) continue;
    length = place.size();
    best = type + " on " + device + " (" + options + ")";
  }
  return best;
}

std::string between_cpus() {
  const double ns = ns_between_cpus();
  return ns > 0 ? "a cache line from CPU to CPU and back takes " + short_time(ns) : "";
}

// On a virtual machine each page may be its host's to give first.
std::string new_memory() {
  constexpr size_t kPageBytes = 4096;
  constexpr size_t kPages = 8192;
  void* const memory =
      ::mmap(nullptr, kPages * kPageBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return "";
  const int64_t from = now_ns();
  for (size_t page = 0; page < kPages; ++page)
    static_cast<volatile std::byte*>(memory)[page * kPageBytes] = std::byte{1};
  const double ns = static_cast<double>(now_ns() - from) / kPages;
  ::munmap(memory, kPages * kPageBytes);
  return "a page of 4 KiB takes " + short_time(ns) + " when it is touched first";
}

std::string date() {
  const std::time_t now = std::time(nullptr);
  char text[32];
  std::strftime(text, sizeof text, "%Y-%m-%d %H:%M UTC", std::gmtime(&now));
  return text;
}

}  // namespace

std::vector<std::pair<std::string, std::string>> describe_machine() {
  utsname kernel{};
  ::uname(&kernel);
  const char* const directory = std::getenv("TMPDIR");
  const char* const commit = std::getenv("PQD_MEASURED_COMMIT");
  const std::string virtually =
      value_of_line("/proc/cpuinfo", "flags").find("hypervisor") == std::string::npos ? ""
                                                                                      : ", a virtual machine";
  return {
      {"cpu", value_of_line("/proc/cpuinfo", "model name") + ", " +
                  std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " CPUs" + virtually},
      {"between CPUs", between_cpus()},
      {"new memory", new_memory()},
      {"kernel", std::string(kernel.sysname) + " " + kernel.release + " " + kernel.machine},
      {"file system", file_system_of(directory == nullptr ? "/tmp" : directory)},
      {"compiler", std::string("g++ ") + __VERSION__ +
#ifdef __OPTIMIZE__
                       ", optimised"
#else
                       ", NOT optimised: these figures say nothing"
#endif
      },
      {"pqd", std::string(PQD_VERSION) + (commit == nullptr ? "" : std::string(", commit ") + commit)},
      {"date", date()},
  };
}

double ns_between_cpus() {
  struct Word {
    alignas(64) std::atomic<uint32_t> turn{0};
  };
  void* const memory =
      ::mmap(nullptr, sizeof(Word), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  auto* const word = new (memory) Word;
  const auto answer = [word](uint32_t own) {
    return [word, own](Side& side) {
      side.start();
      while (!side.over()) {
        if (word->turn.load(std::memory_order_acquire) != own) continue;
        word->turn.store(1 - own, std::memory_order_release);
        side.did(1);
      }
    };
  };
  Sides sides;
  sides.add("first", answer(0), 0);
  sides.add("second", answer(1), 1);
  const bool ran = sides.run(0.05);
  const double rate = sides.rate_of("first");
  ::munmap(memory, sizeof(Word));
  return ran && rate > 0 ? 1e9 / rate : 0;
}

std::vector<std::string> package_versions(const std::vector<std::string>& packages) {
  std::vector<std::string> words{"dpkg-query", "-W", "-f", "${db:Status-Status} ${Package} ${Version}\n"};
  words.insert(words.end(), packages.begin(), packages.end());
  std::istringstream lines(test::run(words).out);
  std::vector<std::string> versions;
  for (std::string line; std::getline(lines, line);)
    if (line.starts_with("installed ")) versions.push_back(line.substr(10));
  return versions;
}

std::vector<std::string> node_versions(const std::string& directory,
                                       const std::vector<std::string>& packages) {
  std::vector<std::string> versions;
  for (const std::string& package : packages) {
    std::istringstream lines(test::read_file(directory + "/node_modules/" + package + "/package.json"));
    for (std::string line; std::getline(lines, line);) {
      const size_t at = line.find("\"version\": \"");
      if (at == std::string::npos) continue;
      const size_t begin = at + 12;
      versions.push_back(package + " " + line.substr(begin, line.find('"', begin) - begin));
      break;
    }
  }
  return versions;
}

}  // namespace pqd::bench
