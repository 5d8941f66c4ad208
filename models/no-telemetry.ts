/**
 * onnxruntime 1.30 on Linux keeps a telemetry database under ~/.cache/Microsoft, uploads from it, and crashes the
 * process when the command line is long (it copies /proc/self/cmdline). A border gate sends nothing to anybody
 * unasked: switched off before the library is loaded. Must run on the main thread: the environment of worker threads is a copy.
 */
process.env.ORT_DISABLE_TELEMETRY = '1'
