#include "bindings/cpp/client_core.h"

#include <errno.h>

#include "bindings/cpp/dial.h"
#include "shm/sizes.h"

namespace pqd {

ClientCore::ClientCore(const ConnectOptions& options)
    : options_(options), socket_path_(find_socket(options.socket)) {
  if (options_.name.empty()) options_.name = program_invocation_short_name;
}

ClientCore::~ClientCore() {
  if (session_ == nullptr) return;
  if (!guard_.in_child()) {
    give_back();
    return;
  }
  // The mappings are not there in a child and their addresses may be somebody else's by now: only the
  // descriptors are closed, the rest is left alone.
  session_->socket.reset();
  session_->client_doorbell.reset();
  session_->engine_doorbell.reset();
  [[maybe_unused]] ClientSession* left_alone = session_.release();
}

Result<void> ClientCore::connect() {
  if (!guard_) return fail_with(Error::kSystemError, "there was no memory for the client");
  if (const auto wrong = check_sizes(with_defaults(options_.sizes))) {
    return fail_with(Error::kInvalidRequest, std::string(*wrong));
  }
  auto opened =
      ClientSession::open(socket_path_, hello(), Deadline::in(Milliseconds(options_.connect_timeout_ms)));
  if (!opened) return std::unexpected(std::move(opened.error()));
  session_ = std::move(*opened);
  engine_epoch_ = session_->down.header().engine_epoch.load(std::memory_order_acquire);
  return {};
}

Result<void> ClientCore::check_usable() {
  if (!guard_.in_child()) [[likely]]
    return {};
  // Our copy of the socket must not keep the parent's session alive.
  if (session_ != nullptr) session_->socket.reset();
  return fail_with(Error::kUnavailable,
                   "this client is not usable after fork(): the child has to connect for itself");
}

Failure ClientCore::away_failure() const {
  return {Error::kUnavailable,
          "the daemon went away and did not come back in time; the last attempt: " + away_reason_.text,
          kAwayRetryMs};
}

Failure ClientCore::waited_failure(Waited waited, std::string_view what) const {
  if (waited == Waited::kAway) return away_failure();
  return {Error::kRequestTimeout, std::string(what) + " was not decided within the time; it may still be", 0};
}

}  // namespace pqd
