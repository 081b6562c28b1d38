#include "tests/crash/figures_page.h"

#include <unistd.h>

#include <cstdlib>
#include <ctime>
#include <sstream>

#include "tests/support/temp_dir.h"

namespace pqd::test {

std::string measured_where() {
  const std::time_t now = std::time(nullptr);
  char date[16];
  std::strftime(date, sizeof date, "%Y-%m-%d", std::gmtime(&now));
  const char* const commit = std::getenv("PQD_MEASURED_COMMIT");
  return std::to_string(::sysconf(_SC_NPROCESSORS_ONLN)) + " CPUs, " + date +
         (commit == nullptr ? "" : std::string(", commit ") + commit);
}

bool write_figures(const std::string& path, std::string_view name, const std::string& figures,
                   std::string_view program) {
  const std::string first = "<!-- figures of " + std::string(name) + ": written by " + std::string(program) +
                            " --write-figures -->\n";
  const std::string last = "<!-- end of figures of " + std::string(name) + " -->\n";
  std::string page = read_file(path);
  const size_t begin = page.find(first);
  const size_t end = page.find(last);
  if (begin == std::string::npos || end == std::string::npos || end < begin) return false;
  std::istringstream lines(figures);
  std::string block;
  for (std::string line; std::getline(lines, line);) block += "    " + line + "\n";
  page.replace(begin + first.size(), end - begin - first.size(), block);
  write_file(path, page);
  return true;
}

}  // namespace pqd::test
