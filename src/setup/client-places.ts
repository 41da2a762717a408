import { homedir } from "node:os";
import { join } from "node:path";

/** A file in which a client lists MCP servers. */
export interface ClientPlace {
  readonly id: string;
  /** The client as people know it, and whose file of it this is. */
  readonly name: string;
  readonly file: string;
  /** Where the servers are in it, by name; a client may have several such lists in one file. */
  readonly sections: readonly (readonly string[])[];
  /** What the client wants to see in an entry beside command and arguments. */
  readonly extra: Readonly<Record<string, string>>;
}

export interface PlacesParams {
  readonly home?: string;
  /** Folder whose project files count. */
  readonly project: string;
  readonly platform?: NodeJS.Platform;
  /** `APPDATA` on Windows, `XDG_CONFIG_HOME` elsewhere. */
  readonly settings?: string | undefined;
}

export const CLIENT_IDS = ["claude-desktop", "claude-code", "cursor", "vscode"] as const;

/** Every file that Claude Desktop, Claude Code, Cursor and VS Code keep MCP servers in: the person's, and the project's. */
export function clientPlaces(params: PlacesParams): readonly ClientPlace[] {
  const { home = homedir(), project, platform = process.platform } = params;
  const settings = settingsFolder(home, platform, params.settings);
  const servers = [["mcpServers"]];
  const place = (id: string, name: string, file: string, sections = servers, extra = {}): ClientPlace => ({
    id,
    name,
    file,
    sections,
    extra,
  });
  const vscode = { type: "stdio" };
  return [
    place("claude-desktop", "Claude Desktop", join(settings, "Claude", "claude_desktop_config.json")),
    // The person's own servers, and those of this project that only this person has.
    place("claude-code", "Claude Code", join(home, ".claude.json"), [
      ["mcpServers"],
      ["projects", project, "mcpServers"],
    ]),
    place("claude-code", "Claude Code (this project)", join(project, ".mcp.json")),
    place("cursor", "Cursor", join(home, ".cursor", "mcp.json")),
    place("cursor", "Cursor (this project)", join(project, ".cursor", "mcp.json")),
    place("vscode", "VS Code", join(settings, "Code", "User", "mcp.json"), [["servers"]], vscode),
    place("vscode", "VS Code (this project)", join(project, ".vscode", "mcp.json"), [["servers"]], vscode),
  ];
}

function settingsFolder(home: string, platform: NodeJS.Platform, given: string | undefined): string {
  if (platform === "darwin") return join(home, "Library", "Application Support");
  if (platform === "win32") return given ?? join(home, "AppData", "Roaming");
  return given ?? join(home, ".config");
}
