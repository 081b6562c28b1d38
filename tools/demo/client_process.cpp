#include "tools/demo/client_process.h"

#include <fcntl.h>
#include <signal.h>

namespace pqd::demo {

std::expected<ClientProcess, std::string> ClientProcess::start(Role role,
                                                               const std::vector<std::string>& command,
                                                               int errors) {
  auto input = make_pipe();
  if (!input) return std::unexpected(input.error());
  auto events = make_pipe();
  if (!events) return std::unexpected(events.error());
  auto child = Child::start(command, {input->read.get(), events->write.get(), errors}, SIGKILL);
  if (!child) return std::unexpected(child.error());
  ::fcntl(events->read.get(), F_SETFL, O_NONBLOCK);
  return ClientProcess(role, std::move(*child), std::move(input->write), std::move(events->read));
}

bool ClientProcess::go() { return ::write(input_.get(), "g", 1) == 1; }

void ClientProcess::kill() {
  killed_ = true;
  child_.signal(SIGKILL);
}

std::expected<void, std::string> ClientProcess::check() {
  const auto status = child_.status();
  if (!status || (killed_ && *status == SIGKILL)) return {};
  // A consumer has no reason to end until it is dismissed.
  if (*status == 0 && (role_ == Role::kProducer || !input_)) return {};
  return std::unexpected((role_ == Role::kProducer ? "a producer ended with " : "a consumer ended with ") +
                         describe_status(*status));
}

}  // namespace pqd::demo
