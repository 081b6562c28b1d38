#include "tools/demo/command_line.h"

#include <charconv>
#include <optional>

namespace pqd::demo {
namespace {

template <class T>
std::optional<T> number(const std::string& text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::expected<Role, std::string> parse_producer(const std::vector<std::string>& words) {
  if (words.size() != 6) return std::unexpected("--producer takes five words");
  const auto first = number<uint32_t>(words[3]);
  const auto stride = number<uint32_t>(words[4]);
  const auto priority = number<uint8_t>(words[5]);
  if (!first || !stride || *stride == 0 || !priority) return std::unexpected("--producer takes numbers");
  return ProducerOptions{words[1], words[2], *first, *stride, *priority};
}

std::expected<Role, std::string> parse_demo(const std::vector<std::string>& words) {
  DemoOptions options;
  std::vector<std::string> roots;
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == "--help" || words[i] == "-h") {
      options.help = true;
    } else if (words[i] == "--keep") {
      options.keep = true;
    } else if (words[i] == "--limit") {
      const auto limit = i + 1 < words.size() ? number<size_t>(words[++i]) : std::nullopt;
      if (!limit || *limit == 0) return std::unexpected("--limit takes a number of files from 1");
      options.limit = *limit;
    } else if (words[i].starts_with("-")) {
      return std::unexpected("unknown option " + words[i] + "; see pqd-demo --help");
    } else {
      roots.push_back(words[i]);
    }
  }
  if (!roots.empty()) options.roots = std::move(roots);
  return options;
}

}  // namespace

std::expected<Role, std::string> parse_command_line(const std::vector<std::string>& words) {
  if (!words.empty() && words[0] == "--producer") return parse_producer(words);
  if (!words.empty() && words[0] == "--consumer") {
    if (words.size() != 2) return std::unexpected("--consumer takes one word");
    return ConsumerOptions{words[1]};
  }
  return parse_demo(words);
}

std::vector<std::string> words_of(const ProducerOptions& options) {
  return {"--producer",
          options.socket,
          options.list,
          std::to_string(options.first),
          std::to_string(options.stride),
          std::to_string(options.priority)};
}

std::vector<std::string> words_of(const ConsumerOptions& options) { return {"--consumer", options.socket}; }

std::string_view help_text() {
  return R"(Hashes the machine's own files through pqd, killing its engine and a consumer on the way, and compares
every result with sha256sum's. Needs no root, leaves nothing behind.

  pqd-demo [--limit N] [--keep] [DIRECTORY...]

  DIRECTORY   files below it are hashed; /usr/share/doc and /usr/include unless said
  --limit N   the first N files only
  --keep      keep the directory of the run, with the daemon's log and store

Exit status: 0 nothing lost and nothing wrong, 1 something is off, 64 wrong use, 128 + N ended by signal N.
)";
}

}  // namespace pqd::demo
