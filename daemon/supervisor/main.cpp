// pqd: reads the command line and the configuration, then supervises.
#include <spdlog/spdlog.h>

#include <algorithm>
#include <cctype>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <optional>

#include "core/job.h"
#include "daemon/config/config.h"
#include "daemon/log/last_words.h"
#include "daemon/log/log.h"
#include "daemon/supervisor/command_line.h"
#include "daemon/supervisor/dev_directory.h"
#include "daemon/supervisor/engine_library.h"
#include "daemon/supervisor/supervisor.h"
#include "shm/standard_descriptors.h"

namespace pqd {
namespace {

int complain(const StartFailure& failure) {
  std::fprintf(stderr, "pqd: %s\n", failure.text.c_str());
  return failure.exit_status;
}

void complain(const std::vector<std::string>& faults) {
  for (const std::string& fault : faults) std::fprintf(stderr, "%s\n", fault.c_str());
}

// The system's file may be missing, one that was asked for not. A private daemon is not the system's.
std::string config_path(const CommandLine& line) {
  std::error_code error;
  if (!line.config.empty() || line.dev) return line.config;
  return std::filesystem::exists(kSystemConfig, error) ? kSystemConfig : "";
}

std::expected<Config, ConfigFaults> load(const std::string& path) {
  return load_config(path, process_environment());
}

int check_config(const std::string& path) {
  const auto config = load(path);
  if (!config) {
    complain(config.error());
    return kExitConfig;
  }
  std::printf("%s\n", path.empty() ? "there is no configuration file: the defaults apply"
                                   : (path + " is good").c_str());
  return 0;
}

// A word that a shell takes as it is.
std::string shell_word(const std::string& text) {
  const auto plain = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || std::string_view("/._-+:@%").contains(c);
  };
  if (std::ranges::all_of(text, plain)) return text;
  std::string word = "'";
  for (const char c : text) word += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return word + "'";
}

void say_ready(const std::string& socket, bool dev) {
  std::printf("pqd is ready: PQD_SOCKET=%s\n", socket.c_str());
  if (dev) {
    const std::string word = shell_word(socket);
    std::printf("export PQD_SOCKET=%s\npqctl --socket %s health\n", word.c_str(), word.c_str());
  }
  std::fflush(stdout);
}

void reload(const std::string& path) {
  const auto config = load(path);
  if (config) return spdlog::warn("SIGHUP: the configuration is good; restart pqd to apply it");
  for (const std::string& fault : config.error()) spdlog::error("SIGHUP: {}", fault);
}

SupervisorOptions options_for(const Config& config, const std::string& path, bool dev) {
  const DaemonConfig& daemon = config.daemon;
  SupervisorOptions options;
  options.state_dir = daemon.state_dir;
  options.socket_path = daemon.socket;
  options.config_toml = render_config(config);
  options.access = access_rules(config.access, ::geteuid());
  options.partitions = config.engine.partitions;
  options.sessions_max = daemon.sessions_max;
  options.user_sessions_max = daemon.user_sessions_max;
  options.engine_backoff.max_ns = daemon.engine_backoff_max_ms * kMillisecondNs;
  options.engine_backoff.first_ns = std::min(options.engine_backoff.first_ns, options.engine_backoff.max_ns);
  options.memory_bytes_max = daemon.session_memory_bytes;
  options.user_memory_bytes_max = daemon.user_session_memory_bytes;
  options.max_payload_bytes = daemon.max_payload_bytes;
  options.event_loop = daemon.event_loop;
  options.on_ready = [socket = daemon.socket, dev] { say_ready(socket, dev); };
  options.on_reload = [path] { reload(path); };
  return options;
}

int run(const CommandLine& line) {
  const std::string path = config_path(line);
  if (line.check_config) return check_config(path);
  auto config = load(path);
  if (!config) {
    complain(config.error());
    return kExitConfig;
  }
  const auto library = find_engine_library();
  if (!library) return complain(library.error());
  open_log("supervisor", config->daemon.log_level);
  end_without_memory("supervisor", "pqd ends; its clients come back to the next one", kExitSystem);
  std::optional<DevDirectory> dev;
  if (line.dev) {
    auto made = DevDirectory::create(line.dir);
    if (!made) return complain(made.error());
    dev = std::move(*made);
    config->daemon.state_dir = dev->state_dir();
    config->daemon.socket = dev->socket_path();
    spdlog::info("everything is in {}", dev->path());
  }
  SupervisorOptions options = options_for(*config, path, line.dev);
  options.engine_library = *library;
  auto supervisor = Supervisor::create(std::move(options));
  const int status = supervisor ? (*supervisor)->run() : complain(supervisor.error());
  const bool engine_gave_up = supervisor && status != 0;
  if (supervisor) supervisor->reset();
  // After a failure of the engine the directory is what there is to look at.
  if (dev && !engine_gave_up) dev->remove_if_ours();
  return status;
}

}  // namespace
}  // namespace pqd

int main(int argc, char** argv) {
  pqd::keep_standard_descriptors();
  std::signal(SIGPIPE, SIG_IGN);
  const auto line = pqd::parse_command_line(argc, argv);
  return line ? pqd::run(*line) : line.error();
}
