/** Shells that can be told. */
export type Shell = "bash" | "zsh" | "fish";

// Each calls `serin complete -- WORD…`, which prints `VALUE<tab>MEANING` a line; where that is nothing, paths are offered.

// Bash takes what stands before the last = or : as given, and would insert it a second time.
const BASH = String.raw`_serin() {
  local words word line="\${COMP_LINE:0:COMP_POINT}"
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  local last="\${words[\${#words[@]} - 1]}"
  local before="\${last%"\${last##*[=:]}"}"
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do COMPREPLY+=("\${word#"$before"}"); done < <("\${words[0]}" complete -- "\${words[@]:1}" 2>/dev/null)
}
complete -o default -F _serin serin
`;

const ZSH = String.raw`#compdef serin
_serin() {
  local line tab=$'\t'
  local -a offers
  for line in "\${(@f)$("\${(Q)words[1]}" complete -- "\${(@Q)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] && offers+=("\${\${line%%$tab*}//:/\\:}:\${line#*$tab}")
  done
  if (( \${#offers} )); then _describe -V serin offers; else _files; fi
}
if [[ \${funcstack[1]-} == _serin ]]; then _serin "$@"; else compdef _serin serin; fi
`;

const FISH = String.raw`function __serin_offers
    set -l words (commandline -opc)
    set -l last (commandline -ct)
    set -l offers ($words[1] complete -- $words[2..-1] "$last" 2>/dev/null)
    if test (count $offers) -gt 0
        printf '%s\n' $offers
    else
        __fish_complete_path "$last"
    end
end
complete -c serin -f -k -a '(__serin_offers)'
`;

const SCRIPTS: Readonly<Record<Shell, string>> = { bash: BASH, zsh: ZSH, fish: FISH };

/** The text that a shell reads to complete command lines of Serin. */
export const completionScript = (shell: Shell): string => SCRIPTS[shell].replaceAll("\\${", "${");
