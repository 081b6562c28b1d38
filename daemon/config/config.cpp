#include "daemon/config/config.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include "daemon/config/config_document.h"
#include "shm/unique_fd.h"

namespace pqd {
namespace {

// The longest that render_config() makes is 2 MiB.
constexpr size_t kFileBytesMax = 8u << 20;

std::expected<std::string, std::string> read_file(const std::string& path) {
  const auto failure = [] {
    return std::unexpected("cannot be read: " + std::generic_category().message(errno));
  };
  const UniqueFd fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!fd) return failure();
  std::string text;
  char part[16 << 10];
  for (;;) {
    const ssize_t count = ::read(fd.get(), part, sizeof part);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return failure();
    if (count == 0) return text;
    text.append(part, static_cast<size_t>(count));
    if (text.size() > kFileBytesMax) return std::unexpected("is over 8 MiB: this is no configuration");
  }
}

}  // namespace

std::expected<Config, ConfigFaults> parse_config(const std::string& text, const std::string& file,
                                                 const std::vector<std::string>& environment) {
  ConfigFaultList faults(file);
  ConfigDocument document;
  const bool read = read_config_file(text, file, document, faults);
  read_config_environment(environment, document, faults);
  Config config = apply_config(document, faults);
  if (!read || !faults.empty()) return std::unexpected(faults.take());
  return config;
}

std::expected<Config, ConfigFaults> load_config(const std::string& path,
                                                const std::vector<std::string>& environment) {
  if (path.empty()) return parse_config({}, {}, environment);
  auto text = read_file(path);
  if (!text) return std::unexpected(ConfigFaults{path + ":1:1: " + text.error()});
  return parse_config(*text, path, environment);
}

}  // namespace pqd
