// pqctl store backup TO
#include "daemon/store/backup.h"

#include <boost/json/object.hpp>

#include "tools/store/directory.h"
#include "tools/store/report.h"

namespace pqd::ctl {
namespace {

constexpr Milliseconds kPatience{120'000};  // for the daemon's copy, which waits for nobody but the disk

int fail(Context& context, const StoreError& error) {
  Complaint complaint = complaint_of(error.code, error.text);
  if (error.code == Error::kUnavailable) complaint.exit = kExitTryAgain;
  return context.fail(complaint);
}

}  // namespace

int run_store_backup(Context& context, const StoreOptions& options) {
  const auto directory = store_directory(context, options);
  if (!directory) return context.fail(directory.error());
  const auto lock = lock_backup(*directory);
  if (!lock) return fail(context, lock.error());
  ConnectOptions connect_options = context.connect_options();
  if (!context.timeout()) connect_options.answer_timeout_ms = static_cast<uint32_t>(kPatience.count());
  auto client = context.connect(connect_options);
  if (!client) return context.fail(client.error());
  const auto copy = client->copy_store();
  if (!copy) return context.fail(copy.error());
  const auto report = take_backup(*copy, options.to);
  if (!report) return fail(context, report.error());
  if (context.format() == Format::kTable) {
    print_report(context, *report);
    context.print(context.colour().paint(Tone::kGood, "whole") + ": " + options.to + "\n");
  } else {
    boost::json::object object{{"directory", options.to}, {"whole", true}};
    for (auto& member : report_json(*report)) object[member.key()] = member.value();
    context.print_json(object);
  }
  return kExitOk;
}

}  // namespace pqd::ctl
