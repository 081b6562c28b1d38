#include "tests/layers/contract_tables.h"

#include <algorithm>
#include <regex>
#include <set>
#include <string_view>

namespace pqd::layers {
namespace {

constexpr std::string_view kPage = "core/README.md";
constexpr std::string_view kHead = "| contract | tests |";
constexpr std::string_view kNotThere = "not there";

// Every suite, and every test as "Suite.Test".
std::set<std::string> tests_of(const std::vector<SourceFile>& files) {
  static const std::regex begin(R"(^TEST(?:_F|_P)?\((\w+),\s*(\w+)\))");
  std::set<std::string> names;
  for (const SourceFile& file : files) {
    if (!file.path.starts_with("tests/") || !file.is_cpp()) continue;
    for (const std::string& line : file.lines) {
      std::smatch found;
      if (!line.starts_with("TEST") || !std::regex_search(line, found, begin)) continue;
      names.insert(found[1]);
      names.insert(found[1].str() + "." + found[2].str());
    }
  }
  return names;
}

// What stands between backquotes.
std::vector<std::string> quoted_in(std::string_view cell) {
  std::vector<std::string> quoted;
  for (size_t at = cell.find('`'); at != std::string_view::npos; at = cell.find('`', at)) {
    const size_t end = std::min(cell.find('`', at + 1), cell.size());
    quoted.emplace_back(cell.substr(at + 1, end - at - 1));
    at = end + 1;
  }
  return quoted;
}

void check_row(const std::string& row, size_t line, const std::set<std::string>& known,
               std::vector<Fault>& faults) {
  const auto fault = [&](std::string text) { faults.push_back({std::string(kPage), line, std::move(text)}); };
  const size_t end = row.rfind(" |");
  const size_t begin = end == std::string::npos || end == 0 ? end : row.rfind("| ", end - 1);
  if (begin == std::string::npos || begin == 0) return fault("is no row of two cells");
  const std::string cell = row.substr(begin + 2, end - begin - 2);
  if (cell == kNotThere) return;
  const auto names = quoted_in(cell);
  if (names.empty()) fault("names no test");
  for (const std::string& name : names) {
    if (!known.contains(name)) fault("there is no test " + name);
  }
}

}  // namespace

std::vector<Fault> check_contract_tables(const std::vector<SourceFile>& files) {
  std::vector<Fault> faults;
  const auto page = std::ranges::find(files, kPage, &SourceFile::path);
  const auto known = tests_of(files);
  size_t rows = 0;
  bool in_table = false;
  for (size_t i = 0; page != files.end() && i < page->lines.size(); ++i) {
    const std::string& line = page->lines[i];
    if (line == kHead) {
      in_table = true;
      ++i;  // the rule under the head
    } else if (!line.starts_with('|')) {
      in_table = false;
    } else if (in_table) {
      ++rows;
      check_row(line, i + 1, known, faults);
    }
  }
  if (rows == 0) faults.push_back({std::string(kPage), 0, "has no table of the contract's rows"});
  return faults;
}

}  // namespace pqd::layers
