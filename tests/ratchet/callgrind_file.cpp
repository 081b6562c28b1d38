#include "tests/ratchet/callgrind_file.h"

#include <cctype>
#include <sstream>

namespace pqd::ratchet {
namespace {

constexpr std::string_view kTrigger = "desc: Trigger: Client Request: ";

// Names stand in full where they come first, "(7) /usr/lib/libc.so.6", and as "(7)" from there on.
class Names {
 public:
  const std::string& of(const std::string& text) {
    const size_t end = text.find(')');
    std::string& name = known_[text.substr(0, end)];
    if (end != std::string::npos && end + 2 < text.size()) name = text.substr(end + 2);
    return name;
  }

 private:
  std::map<std::string, std::string> known_;
};

// "+3 17" or "* 17": the place is of no interest.
bool is_cost(const std::string& line) {
  return !line.empty() && (std::isdigit(static_cast<unsigned char>(line[0])) != 0 || line[0] == '+' ||
                           line[0] == '-' || line[0] == '*');
}

uint64_t last_number(const std::string& line) {
  const size_t space = line.rfind(' ');
  return space == std::string::npos ? 0 : std::strtoull(line.c_str() + space, nullptr, 10);
}

}  // namespace

uint64_t CallgrindFile::of_library(const std::string& name) const {
  uint64_t sum = 0;
  for (const auto& [path, instructions] : by_object)
    if (path.substr(path.rfind('/') + 1).starts_with(name)) sum += instructions;
  return sum;
}

std::optional<CallgrindFile> read_callgrind(const std::string& text) {
  CallgrindFile file;
  Names objects;
  std::string object;
  bool of_call = false;  // what a call cost stands in its callee already
  uint64_t sum = 0;
  std::istringstream lines(text);
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with(kTrigger)) {
      file.request = line.substr(kTrigger.size());
    } else if (line.starts_with("totals: ")) {
      file.total = last_number(line);
    } else if (line.starts_with("ob=")) {
      object = objects.of(line.substr(3));
    } else if (line.starts_with("cob=")) {
      objects.of(line.substr(4));
    } else if (line.starts_with("calls=")) {
      of_call = true;
    } else if (is_cost(line)) {
      if (!of_call) {
        file.by_object[object] += last_number(line);
        sum += last_number(line);
      }
      of_call = false;
    }
  }
  return sum == file.total ? std::optional(file) : std::nullopt;
}

}  // namespace pqd::ratchet
