#include "daemon/supervisor/dev_directory.h"

#include <spdlog/spdlog.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>

#include "daemon/supervisor/private_directory.h"

namespace pqd {
namespace {

std::string base_directory() {
  const char* runtime = std::getenv("XDG_RUNTIME_DIR");
  const bool usable = runtime != nullptr && *runtime == '/' && ::access(runtime, W_OK | X_OK) == 0;
  return usable ? runtime : "/tmp";
}

}  // namespace

std::expected<DevDirectory, StartFailure> DevDirectory::create(const std::string& wanted) {
  if (wanted.empty()) {
    std::string path = base_directory() + "/pqd-dev-XXXXXX";
    if (::mkdtemp(path.data()) == nullptr)
      return std::unexpected(path_failure("cannot create a directory in", base_directory(), errno));
    return DevDirectory(std::move(path), true);
  }
  std::error_code error;
  std::string path = std::filesystem::absolute(wanted, error).lexically_normal().string();
  if (error) return std::unexpected(path_failure("cannot use", wanted, error.value()));
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  if (auto made = make_directory(path); !made) return std::unexpected(made.error());
  return DevDirectory(std::move(path), false);
}

void DevDirectory::remove_if_ours() const {
  if (!ours_) return;
  std::error_code error;
  std::filesystem::remove_all(path_, error);
  if (error) spdlog::warn("cannot remove {}: {}", path_, error.message());
}

}  // namespace pqd
