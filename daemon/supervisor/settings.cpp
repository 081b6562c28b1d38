#include "daemon/supervisor/settings.h"

#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <spdlog/fmt/fmt.h>

#include <toml++/toml.h>
#include <cerrno>
#include <fstream>
#include <functional>
#include <map>
#include <sstream>
#include <string_view>
#include <system_error>

namespace pqd {
namespace {

using Faults = std::vector<std::string>;

// Collects what is wrong instead of stopping at the first.
class Reader {
 public:
  explicit Reader(std::string file) : file_(std::move(file)) {}

  void fault(const toml::source_region& where, std::string_view what) {
    faults_.push_back(fmt::format("{}:{}:{}: {}", file_, where.begin.line, where.begin.column, what));
  }
  void text(const toml::node& node, std::string_view key, std::string& out) {
    if (const auto value = node.value_exact<std::string>())
      out = *value;
    else
      fault(node.source(), fmt::format("{} is a text: write it in quotes", key));
  }
  void path(const toml::node& node, std::string_view key, std::string& out) {
    text(node, key, out);
    if (node.is_string() && !out.starts_with('/'))
      fault(node.source(), fmt::format("{} is a path from the root, such as \"/var/lib/pqd\"", key));
  }
  template <class Number>
  void number(const toml::node& node, std::string_view key, int64_t least, int64_t most, Number& out) {
    const auto value = node.value_exact<int64_t>();
    if (value && *value >= least && *value <= most)
      out = static_cast<Number>(*value);
    else
      fault(node.source(), fmt::format("{} is a whole number from {} to {}", key, least, most));
  }
  void event_loop(const toml::node& node, BackendChoice& out) {
    const auto choice = parse_backend_choice(node.value_or(std::string_view{}));
    if (choice)
      out = *choice;
    else
      fault(node.source(), "event_loop is one of \"auto\", \"io_uring\", \"epoll\"");
  }
  void log_level(const toml::node& node, std::string& out) {
    text(node, "log_level", out);
    for (const std::string_view level : {"debug", "info", "warn", "error"})
      if (out == level) return;
    if (node.is_string())
      fault(node.source(), "log_level is one of \"debug\", \"info\", \"warn\", \"error\"");
  }

  Faults take() { return std::move(faults_); }

 private:
  std::string file_;
  Faults faults_;
};

void read_daemon(const toml::table& table, Reader& reader, Settings& out) {
  const std::map<std::string_view, std::function<void(const toml::node&)>> known{
      {"state_dir", [&](const toml::node& node) { reader.path(node, "state_dir", out.state_dir); }},
      {"socket", [&](const toml::node& node) { reader.path(node, "socket", out.socket); }},
      {"sessions_max",
       [&](const toml::node& node) { reader.number(node, "sessions_max", 1, 100'000, out.sessions_max); }},
      {"session_memory_bytes",
       [&](const toml::node& node) {
         reader.number(node, "session_memory_bytes", 1 << 20, int64_t{1} << 50, out.session_memory_bytes);
       }},
      {"max_payload_bytes",
       [&](const toml::node& node) {
         reader.number(node, "max_payload_bytes", 1, 16 << 20, out.max_payload_bytes);
       }},
      {"event_loop", [&](const toml::node& node) { reader.event_loop(node, out.event_loop); }},
      {"log_level", [&](const toml::node& node) { reader.log_level(node, out.log_level); }},
  };
  for (const auto& [key, node] : table) {
    const auto found = known.find(key.str());
    if (found != known.end())
      found->second(node);
    else
      reader.fault(key.source(), fmt::format("there is no setting {} in [daemon]", key.str()));
  }
}

std::expected<std::string, Faults> read_file(const std::string& path) {
  std::ifstream file(path);
  std::ostringstream text;
  if (file) text << file.rdbuf();
  if (!file) {
    const int number = errno != 0 ? errno : EIO;
    return std::unexpected(
        Faults{fmt::format("{}:1:1: cannot be read: {}", path, std::generic_category().message(number))});
  }
  return std::move(text).str();
}

std::string_view backend_word(BackendChoice choice) {
  if (choice == BackendChoice::kUring) return "io_uring";
  return choice == BackendChoice::kEpoll ? "epoll" : "auto";
}

}  // namespace

std::expected<Configuration, std::vector<std::string>> Configuration::load(const std::string& path) {
  Configuration configuration;
  if (path.empty()) return configuration;
  auto text = read_file(path);
  if (!text) return std::unexpected(text.error());
  configuration.text_ = std::move(*text);
  Reader reader(path);
  const toml::parse_result parsed = toml::parse(configuration.text_, path);
  if (!parsed) {
    reader.fault(parsed.error().source(), parsed.error().description());
    return std::unexpected(reader.take());
  }
  const toml::node* const node = parsed.table().get("daemon");
  if (node != nullptr && !node->is_table()) reader.fault(node->source(), "daemon is a table: [daemon]");
  if (node != nullptr && node->is_table()) read_daemon(*node->as_table(), reader, configuration.settings);
  if (auto faults = reader.take(); !faults.empty()) return std::unexpected(std::move(faults));
  return configuration;
}

std::string Configuration::toml() const {
  toml::table table = toml::parse(text_).table();
  const auto number = [](auto value) { return static_cast<int64_t>(value); };
  table.insert_or_assign("daemon",
                         toml::table{{"state_dir", settings.state_dir},
                                     {"socket", settings.socket},
                                     {"sessions_max", number(settings.sessions_max)},
                                     {"session_memory_bytes", number(settings.session_memory_bytes)},
                                     {"max_payload_bytes", number(settings.max_payload_bytes)},
                                     {"event_loop", backend_word(settings.event_loop)},
                                     {"log_level", settings.log_level}});
  std::ostringstream out;
  out << table << '\n';
  return std::move(out).str();
}

}  // namespace pqd
