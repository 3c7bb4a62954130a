"""How the calendar's page looks, and the few things that its script does."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light dark;
--paper:#f6f3ec;--card:#fffdf8;--ink:#1d1b18;--soft:#6b655b;--line:#ddd6c8;--mark:#1d1b18;
--alarm:#a3281f;--alarm-paper:#fbe9e4;--fine:#2b6a4b;--accent:#a8452c;
--c0:#efebe1;--c1:#f7e3bd;--c2:#f9cf8d;--c3:#f6b165;--c4:#ec8b45;--c5:#d96232;--c6:#b8402f;--c7:#8b2a38;--c8:#571b3a;
--on1:#4c3a17;--on2:#4c3312;--on3:#43260b;--on4:#2f1705;--on5:#fff6ee;--on6:#fff;--on7:#fff;--on8:#ffeef4;
--up:#b8402f;--down:#2c7a6b}
@media (prefers-color-scheme:dark){:root{
--paper:#131216;--card:#1b1a20;--ink:#f0ece4;--soft:#a49d93;--line:#33313a;--mark:#fff;
--alarm:#ff9d8a;--alarm-paper:#3a1d1c;--fine:#86d3ac;--accent:#f2a65a;
--c0:#1f1e25;--c1:#2c2136;--c2:#45264a;--c3:#672b54;--c4:#8e3353;--c5:#b7434c;--c6:#db6343;--c7:#f2953c;--c8:#fbd46b;
--on1:#d8cbe4;--on2:#ecd6ee;--on3:#f8dfea;--on4:#ffe6ea;--on5:#fff2ec;--on6:#210b05;--on7:#241102;--on8:#2b1c00;
--up:#f08a6c;--down:#6fc7b5}}
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 ui-sans-serif,system-ui,-apple-system,"Segoe UI",
Roboto,"Helvetica Neue",Arial,sans-serif;font-variant-numeric:tabular-nums}
.sheet{max-width:1240px;margin:0 auto;padding:40px 32px 64px}
.skip{position:absolute;left:-999px}.skip:focus{left:8px;top:8px;background:var(--card);padding:8px;z-index:9}
a:focus-visible,input:focus-visible,summary:focus-visible,button:focus-visible,.scroll:focus-visible
{outline:2px solid var(--accent);outline-offset:2px}
header.top{display:flex;flex-wrap:wrap;align-items:flex-end;justify-content:space-between;gap:16px 48px;
padding-bottom:20px;border-bottom:3px solid var(--ink)}
.eyebrow{margin:0 0 6px;font-size:13px;color:var(--soft)}
h1{margin:0;font-size:clamp(32px,5.4vw,60px);line-height:1.02;letter-spacing:-.03em;font-weight:750;text-wrap:balance}
.where{margin:0;text-align:right;color:var(--soft);font-size:14px;line-height:1.5}.where b{color:var(--ink);
font-weight:600}
.facts{display:grid;grid-template-columns:repeat(auto-fit,minmax(120px,1fr));margin:0;padding:18px 0 26px;gap:16px}
.facts div{display:flex;flex-direction:column-reverse;justify-content:flex-end}
.facts dt{color:var(--soft);font-size:13px}.facts dd{margin:0;font-size:28px;line-height:1.15;font-weight:650;
letter-spacing:-.02em}.facts .bad dd{color:var(--alarm)}.facts small{font-size:14px;font-weight:500;color:var(--soft);
letter-spacing:0}
.banner{margin:0 0 20px;padding:12px 16px;border-radius:8px;background:var(--alarm-paper);color:var(--alarm)}
.banner ul{margin:4px 0 0;padding-left:20px}
.views{display:flex;flex-wrap:wrap;align-items:center;gap:8px 14px;margin:0 0 14px;padding:0;border:0}
.views legend{float:left;padding:0;margin-right:4px;color:var(--soft)}
.views label{display:inline-flex;align-items:center;padding:4px 14px;border:1px solid var(--line);border-radius:99px;
cursor:pointer;background:var(--card)}
.views input{position:absolute;opacity:0;pointer-events:none}
.views label:has(input:checked){background:var(--ink);color:var(--paper);border-color:var(--ink)}
.views label:has(input:focus-visible){outline:2px solid var(--accent);outline-offset:2px}
figure{margin:0}
.poster{--gap:3px;display:grid;gap:var(--gap);grid-template-columns:minmax(76px,auto) repeat(24,minmax(0,1fr)) 56px}
.poster>*{min-width:0}
.c,.d,.h,.t{grid-row:calc(var(--d) + 2);grid-column:calc(var(--h) + 2)}
.d{grid-column:1;align-self:center;padding-right:10px;line-height:1.15;white-space:nowrap}
.d b{font-size:21px;font-weight:700;letter-spacing:-.02em;margin-right:5px}.d span{color:var(--soft);font-size:13px}
.d.we b{color:var(--accent)}
.h{grid-row:1;text-align:center;color:var(--soft);font-size:12px;align-self:end}
.t{grid-column:26;align-self:center;text-align:right;font-size:13px;color:var(--soft)}
.c{position:relative;height:clamp(34px,4.2vw,52px);border-radius:4px;display:flex;align-items:center;
justify-content:center;
font-size:12px;background:var(--c0);color:var(--soft);overflow:hidden}
.c span{display:none}
.see-starts .c .s,.see-load .c .l,.see-change .c .g{display:inline}
.gone-hour{background:repeating-linear-gradient(135deg,var(--line) 0 3px,transparent 3px 8px)!important}
.twice::after{content:"2h";position:absolute;right:3px;top:2px;font-size:9px;line-height:1;opacity:.85}
.now{box-shadow:0 0 0 2px var(--paper),0 0 0 4px var(--mark)}
.key{display:flex;flex-wrap:wrap;gap:4px 18px;align-items:center;margin:14px 0 0;color:var(--soft);font-size:13px}
.key i{display:inline-block;width:20px;height:14px;border-radius:3px;vertical-align:-2px;margin-right:5px}
.key .ramp{display:none;gap:4px 12px;flex-wrap:wrap}
.see-starts~.key .for-starts,.see-load~.key .for-load,.see-change~.key .for-change{display:flex}
.key .clock{border:0;background:none;padding:0}
details{margin:14px 0 0}summary{cursor:pointer;color:var(--soft)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;width:100%}
.plain{font-size:13px;margin-top:10px}.plain th,.plain td{padding:3px 7px;text-align:right;
border-bottom:1px solid var(--line)}
.plain th:first-child{text-align:left;white-space:nowrap}
.columns{columns:3 320px;column-gap:48px;margin-top:40px}
section{margin:0 0 28px;min-width:0}.columns h2{break-after:avoid}
.columns section{break-inside:avoid}.columns li{break-inside:avoid}
h2{margin:0 0 10px;padding-top:12px;border-top:1px solid var(--ink);font-size:19px;letter-spacing:-.01em;
font-weight:680}
h2 small{font-weight:450;font-size:14px;color:var(--soft);letter-spacing:0;margin-left:6px}
ol,ul{margin:0;padding:0}.list{list-style:none}
.list>li{padding:8px 0;border-bottom:1px solid var(--line);overflow-wrap:anywhere}.list>li:last-child{border:0}
.when{display:flex;justify-content:space-between;gap:12px;font-weight:600}.when em{font-style:normal;font-weight:450;
color:var(--soft);white-space:nowrap}
.bar{height:6px;border-radius:3px;background:var(--c5);margin:5px 0 5px;min-width:4px}
.who{color:var(--soft);font-size:13.5px}.who code{margin-right:8px}
code{font:12.5px/1.5 ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono",monospace;color:var(--ink);
overflow-wrap:anywhere}
.tag{display:inline-block;padding:0 8px;border-radius:99px;font-size:12px;line-height:19px;
border:1px solid currentColor;
margin-right:6px;white-space:nowrap}.tag.new{color:var(--alarm)}.tag.gone{color:var(--fine)}
.tag.off{color:var(--soft)}
.none{color:var(--soft)}
.tools{display:flex;flex-wrap:wrap;gap:8px 16px;align-items:center;margin:0 0 10px}
.tools input{font:inherit;color:inherit;background:var(--card);border:1px solid var(--line);border-radius:8px;
padding:7px 12px;width:min(100%,340px)}.tools output{color:var(--soft)}
.all th{text-align:left;font-weight:500;color:var(--soft);font-size:13px;padding:6px 14px 6px 0;
border-bottom:1px solid
var(--ink)}.all td{padding:8px 14px 8px 0;border-bottom:1px solid var(--line);vertical-align:top}
.all .n{text-align:right;white-space:nowrap}.all td small{display:block;color:var(--soft);font-size:13px}
.all svg{display:block;width:144px;height:16px}.all svg rect{fill:var(--c0)}.all svg path{fill:var(--c6)}
.all td:first-child{overflow-wrap:anywhere}.banner{overflow-wrap:anywhere}footer{overflow-wrap:anywhere}
.all .m{white-space:nowrap}.all tr.off td{opacity:.6}
footer{margin-top:40px;padding-top:14px;border-top:1px solid var(--line);color:var(--soft);font-size:13px}
footer p{margin:0 0 4px}
@media screen and (max-width:760px){
.sheet{padding:24px 16px 40px}.where{text-align:left}
.poster.week{grid-template-columns:38px repeat(var(--days),minmax(0,1fr))}
.poster.week .c{grid-row:calc(var(--h) + 2);grid-column:calc(var(--d) + 2);height:26px;font-size:11px}
.poster.week .d{grid-row:1;grid-column:calc(var(--d) + 2);padding:0 0 4px;text-align:center}
.poster.week .d b{display:block;margin:0;font-size:17px}.poster.week .d span{font-size:11px}
.poster.week .h{grid-column:1;grid-row:calc(var(--h) + 2);text-align:right;padding-right:6px;align-self:center}
.poster.week .twice::after{content:none}
.poster.week .t{grid-row:26;grid-column:calc(var(--d) + 2);text-align:center;font-size:11px}
.poster.many{grid-template-columns:58px repeat(24,minmax(0,1fr));--gap:1px}.poster.many .c{height:18px;font-size:0;
border-radius:2px}
.poster.many .t{display:none}.poster.many .twice::after{content:none}
.poster.many .h{font-size:9px}.poster.many .h:nth-child(odd){visibility:hidden}
.poster.many .d b{font-size:13px}.poster.many .d span{font-size:10px}
.all thead{display:none}.all tr{display:grid;grid-template-columns:1fr auto;gap:2px 12px;padding:10px 0;
border-bottom:1px solid var(--line)}.all tr[hidden]{display:none}.all td{padding:0;border:0}
.all td:first-child{grid-column:1/-1}
.all .n{text-align:left}
}
@media print{
@page{size:A4 landscape;margin:11mm}
:root{color-scheme:light;--paper:#fff;--card:#fff;--ink:#000;--soft:#555;--line:#ccc}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
.sheet{padding:0;max-width:none}body{font-size:12px}h1{font-size:44px}.all svg{width:96px}
.columns{columns:3 200px;column-gap:28px}.columns section{break-inside:auto}
.tools,.views,.skip,details{display:none}.columns{break-before:page}
.poster.week .c{height:min(58px,calc(420px / var(--days)))}.poster.many{--gap:2px}
.poster.many .c{height:min(34px,calc(420px / var(--days) - 2px));font-size:9px}
.poster.many .d,.poster.many .t{line-height:1}
.poster.many .d b{font-size:11px}.poster.many .d span,.poster.many .t{font-size:9px}
.poster.many .twice::after{content:none}
section li,tr{break-inside:avoid}
}
""".strip()

SHADES = "".join(
    f".see-starts .s{level},.see-load .l{level},.i{level}{{background:var(--c{level})"
    + (f";color:var(--on{level})" if level else "")
    + "}"
    for level in range(9)
) + "".join(
    f".see-change .g{sign}{level},.ig{sign}{level}{{"
    f"background:color-mix(in srgb,var(--{name}) {level * 24}%,var(--c0));"
    "color:var(--ink)}"
    for sign, name in (("u", "up"), ("d", "down"))
    for level in range(1, 4)
)

SCRIPT = """
(function(){
var poster=document.querySelector('.poster');
document.querySelectorAll('.views input').forEach(function(one){one.addEventListener('change',function(){
poster.className=poster.className.replace(/see-\\w+/,'see-'+one.value);});});
var find=document.getElementById('find');if(!find)return;
var rows=Array.prototype.slice.call(document.querySelectorAll('.all tbody tr'));
var told=document.getElementById('told');
var words=rows.map(function(row){return row.textContent.toLowerCase();});
find.addEventListener('input',function(){
var asked=find.value.toLowerCase().split(/\\s+/).filter(Boolean),seen=0;
rows.forEach(function(row,i){var fits=asked.every(function(word){return words[i].indexOf(word)>=0;});
row.hidden=!fits;if(fits)seen++;});
told.textContent=asked.length?seen+' of '+rows.length:'';});
document.addEventListener('keydown',function(key){
if(key.key==='/'&&document.activeElement!==find){key.preventDefault();find.focus();}
if(key.key==='Escape'&&document.activeElement===find){find.value='';find.dispatchEvent(new Event('input'));}});
})();
""".strip()
