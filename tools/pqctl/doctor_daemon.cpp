// The daemon: is its socket there, does it answer, in our language, and how is it.
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>

#include "bindings/cpp/dial.h"
#include "shm/abi.h"
#include "tools/pqctl/doctor.h"

namespace pqd::ctl {
namespace {

constexpr uint32_t kPatienceMs = 3'000;
constexpr std::string_view kDeleted = " (deleted)";

Finding nobody_there(const std::string& socket) {
  struct stat status {};
  const bool found = ::stat(socket.c_str(), &status) == 0;
  const std::string remedy =
      "start one with `systemctl start pqd` or `pqd --dev`, or name its socket by --socket or PQD_SOCKET";
  return {"daemon", Verdict::kWarn, found ? "nobody listens at " + socket : "there is no socket at " + socket,
          remedy};
}

Finding unreachable(const Failure& failure) {
  const std::string text = std::string(error_name(failure.error)) + ": " + failure.text;
  return {
      "daemon", Verdict::kFail, text,
      failure.error == Error::kUnauthorized
          ? "ask as root or as the daemon's user, or let an administrator give this user a role in [access]"
          : "see the daemon's log (journalctl -t pqd, or its terminal)"};
}

Finding reachable(const Client& client, const DaemonTrace& daemon) {
  return {"daemon", Verdict::kOk,
          "pid " + std::to_string(daemon.pid) + " at " + client.socket() + ", ABI " +
              std::to_string(kAbiVersion) + " as here, payloads to " +
              bytes_in_words(client.max_payload_bytes())};
}

}  // namespace

DaemonTrace trace_daemon(const std::string& socket) {
  DaemonTrace trace{.socket = socket};
  const auto fd = dial(socket, Deadline::in(Milliseconds(kPatienceMs)));
  if (!fd) {
    trace.failure = fd.error();
    return trace;
  }
  ucred peer{};
  socklen_t bytes = sizeof peer;
  if (::getsockopt(fd->get(), SOL_SOCKET, SO_PEERCRED, &peer, &bytes) != 0) return trace;
  trace.pid = peer.pid;
  std::error_code ignored;
  trace.program =
      std::filesystem::read_symlink("/proc/" + std::to_string(peer.pid) + "/exe", ignored).string();
  return trace;
}

Finding judge_program(std::string_view program) {
  if (!program.ends_with(kDeleted)) return {"daemon program", Verdict::kOk, std::string(program)};
  program.remove_suffix(kDeleted.size());
  return {"daemon program", Verdict::kWarn, std::string(program) + " was replaced while it runs",
          "restart pqd to get the new release"};
}

Finding judge_health(const HealthInfo& health) {
  constexpr std::array<const char*, 3> kStates{"healthy", "degraded", "unhealthy"};
  const size_t state = std::min<size_t>(health.status, kStates.size() - 1);
  std::string text = kStates[state];
  for (const std::string& reason : health.degraded_reasons) text += ", " + reason;
  if (state == 0) return {"health", Verdict::kOk, text};
  return {"health", state == 1 ? Verdict::kWarn : Verdict::kFail, text,
          "`pqctl health`, `pqctl queue ls` and `pqctl dlq ls` show where"};
}

Findings check_daemon(Context& context, const DaemonTrace& daemon) {
  if (daemon.failure && daemon.failure->error == Error::kUnavailable) return {nobody_there(daemon.socket)};
  if (daemon.failure) return {unreachable(*daemon.failure)};
  ConnectOptions options = context.connect_options();
  options.connect_timeout_ms = std::min(options.connect_timeout_ms, kPatienceMs);
  options.answer_timeout_ms = std::min(options.answer_timeout_ms, kPatienceMs);
  options.reconnect_timeout_ms = 0;
  auto client = Client::connect(options);
  if (!client) return {unreachable(client.error())};
  Findings findings{reachable(*client, daemon)};
  if (!daemon.program.empty()) findings.push_back(judge_program(daemon.program));
  const auto health = client->health();
  if (health)
    findings.push_back(judge_health(*health));
  else
    findings.push_back({"health", Verdict::kFail, health.error().text, "see the daemon's log"});
  return findings;
}

}  // namespace pqd::ctl
